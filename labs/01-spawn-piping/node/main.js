'use strict';
// Spawn and piping: a child's output goes where its parent leads it, or nowhere.

const { spawn } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const path = require('node:path');
const { buffer, text } = require('node:stream/consumers');
const t = require('../../../tools/transcript/transcript.js');

const [parent, child] = t.voices('parent', 'child');

const MIB = 1024 * 1024;
const TOTAL = 100 * MIB;
const BLOCK = 64 * 1024;
const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

// ANCHOR: observe
// child.js with a pipe for its stdout, and the transcript at descriptor 3.
function start() {
  return spawn(process.execPath, [path.join(__dirname, 'child.js')], {
    env: { ...process.env, ...t.seat('child', 3) },
    stdio: ['ignore', 'pipe', 'ignore', 1],
  });
}

async function nobodyReads() {
  t.step('A child whose output nobody reads');
  const started = start();
  const { stdout } = started;
  let seen;
  // What Node has taken from the pipe, less what still waits in its own buffer for somebody to ask.
  started.once('exit', () => (seen = stdout.bytesRead - stdout.readableLength));
  await once(started, 'close');
  parent.say(`saw ${seen} bytes by the time it exited`);
  parent.say(`Node then read ${stdout.bytesRead} bytes for nobody, so that "close" could come`);
  return seen;
}
// ANCHOR_END: observe

async function weRead() {
  t.step('The same child, its output read');
  const started = start();
  const [output] = await Promise.all([buffer(started.stdout), once(started, 'close')]);
  parent.say(`saw ${output.length} bytes: ${output.toString().trim()}`);
  return output.length;
}

async function through() {
  t.step('stdin, through a child, to stdout: tr a-z A-Z');
  const tr = spawn('tr', ['a-z', 'A-Z'], { stdio: ['pipe', 'pipe', 'ignore'] });
  parent.arrow('message', 'child', 'hello, pipe');
  tr.stdin.end('hello, pipe');
  const [answer] = await Promise.all([text(tr.stdout), once(tr, 'close')]);
  child.arrow('message', 'parent', answer);
  return answer;
}

// What stands where in the stream: random bytes, repeated. The period is a prime, so that behind a block that is lost,
// or comes twice, nothing fits any more.
const PERIOD = 1048573;
const random = randomBytes(PERIOD);
const repeated = Buffer.concat([random, random.subarray(0, BLOCK)]);
const bytesAt = (place, length) => repeated.subarray(place % PERIOD, (place % PERIOD) + length);

// ANCHOR: flow
async function send(stdin) {
  let sent = 0;
  let waits = 0;
  for (; sent < TOTAL; sent += BLOCK) {
    if (!stdin.write(bytesAt(sent, BLOCK))) {
      waits += 1;
      await once(stdin, 'drain');
    }
  }
  stdin.end();
  return { sent, waits };
}

async function receive(stdout) {
  let received = 0;
  let same = true;
  for await (const chunk of stdout) {
    same &&= chunk.equals(bytesAt(received, chunk.length));
    received += chunk.length;
  }
  return { received, same };
}
// ANCHOR_END: flow

async function large() {
  t.step('100 MiB through cat');
  const peak = () => process.resourceUsage().maxRSS * 1024;
  const before = peak();
  const cat = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
  const work = [send(cat.stdin), receive(cat.stdout), once(cat, 'close')];
  const [{ sent, waits }, { received, same }] = await Promise.all(work);
  const after = peak();
  parent.say(`sent ${mib(sent)}, and waited ${waits} times for cat to make room`);
  child.arrow('message', 'parent', `${mib(received)}, ${same ? 'the same' : 'other'} bytes`);
  parent.say(`peak memory: ${mib(before)} before, ${mib(after)} after`);
  parent.say('it grew by blocks that wait for the garbage collector');
  parent.say(`flat means here: it grew by less than half of what passed`);
  return { sent, received, same, flat: after - before < TOTAL / 2 };
}

async function main() {
  const unread = await nobodyReads();
  const read = await weRead();
  const answer = await through();
  const { sent, received, same, flat } = await large();

  t.fact('seen of a child that nobody reads', `${unread} bytes`);
  t.fact('seen of a child whose output is piped', `${read} bytes`);
  t.fact('stdin through the child', answer);
  t.fact('bytes in', sent);
  t.fact('bytes out', received);
  t.fact('same bytes', t.yes(same));
  t.fact('flat', t.yes(flat));
}

main();
