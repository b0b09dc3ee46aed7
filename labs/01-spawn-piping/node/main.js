'use strict';
// Spawn and piping: a child's output goes where its parent leads it, or nowhere.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { buffer, text } = require('node:stream/consumers');
const proc = require('../../../tools/kit/proc.js');
const t = require('../../../tools/transcript/transcript.js');
const { TOTAL, pour, drain } = require('./stream.js');

const [parent, child] = t.voices('parent', 'child');
// By how much the peak of our memory may grow while all that passes, in KiB.
const FLAT = 2048;
const mib = (bytes) => `${bytes / 2 ** 20} MiB`;

// ANCHOR: observe
// child.js with a pipe for its stdout, and the transcript at descriptor 3.
function start() {
  return spawn(process.execPath, [path.join(__dirname, 'child.js')], {
    env: { ...process.env, ...t.seat('child', 3) },
    stdio: ['ignore', 'pipe', 'ignore', 1],
  });
}

async function nobodyReads() {
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

async function main() {
  t.step('A child whose output nobody reads');
  const unread = await nobodyReads();

  t.step('The same child, its output read');
  const started = start();
  const [read] = await Promise.all([buffer(started.stdout), once(started, 'close')]);
  parent.say(`saw ${read.length} bytes: ${read.toString().trim()}`);

  t.step('stdin, through a child, to stdout: tr a-z A-Z');
  const tr = spawn('tr', ['a-z', 'A-Z'], { stdio: ['pipe', 'pipe', 'ignore'] });
  parent.arrow('message', 'child', 'hello, pipe');
  tr.stdin.end('hello, pipe');
  const [answer] = await Promise.all([text(tr.stdout), once(tr, 'close')]);
  child.arrow('message', 'parent', answer);

  t.step(`${mib(TOTAL)} through cat`);
  const before = proc.peak();
  // ANCHOR: both
  const cat = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
  const work = [pour(cat.stdin), drain(cat.stdout), once(cat, 'close')];
  const [{ sent, waits }, { received, same }] = await Promise.all(work);
  // ANCHOR_END: both
  const grown = proc.peak() - before;
  parent.say(`sent ${mib(sent)}, and waited ${waits} times for cat to make room`);
  child.arrow('message', 'parent', `${mib(received)}, ${same ? 'the same' : 'other'} bytes`);
  parent.say(`peak memory: ${before} KiB before, ${grown} KiB more after`);
  parent.say('it grew by blocks that wait for the garbage collector');
  parent.say(`flat means here: it grew by less than ${FLAT} KiB`);

  t.fact('seen of a child that nobody reads', `${unread} bytes`);
  t.fact('seen of a child whose output is piped', `${read.length} bytes`);
  t.fact('stdin through the child', answer);
  t.fact('bytes in', sent);
  t.fact('bytes out', received);
  t.fact('same bytes', t.yes(same));
  t.fact('flat', t.yes(grown < FLAT));
  t.fact('memory grew by less than what passed', t.yes(grown * 1024 < sent));
}

main();
