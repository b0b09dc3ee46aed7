'use strict';
// What a process is: who it is, what it reads and writes, how it ends, and what its children get of its memory.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { buffer, text } = require('node:stream/consumers');
const proc = require('../../../tools/kit/proc.js');
const roles = require('../../../tools/kit/roles.js');
const t = require('../../../tools/transcript/transcript.js');
const { forkACopy } = require('./copy.js');

const [parent, child] = t.voices('parent', 'child', 'copy');
const quoted = (bytes) => JSON.stringify(bytes.toString());

// Runs one part of child.js to its end; gives what it tells.
async function run(part, options) {
  const started = roles.fork('child', 'child.js', [part], options);
  const message = await roles.answer(started);
  await roles.exit(started);
  return message;
}

async function main() {
  t.step('Who am I?');
  const before = proc.name(process.pid);
  process.title = 'lab 00';
  parent.say(`pid ${process.pid}, started by pid ${process.ppid}`);
  parent.say(`argv: ${process.argv.map((word) => path.basename(word)).join(' ')}`);
  parent.say(`cwd: ${process.cwd().replace(/^.+(?=.{50}$)/, '…')}`);
  parent.say(`title: was "${before}", is "${proc.name(process.pid)}" since I said process.title = …`);
  parent.say(`up for ${process.uptime().toFixed(2)} s, memory ${(proc.resident() / 1024).toFixed(1)} MiB`);
  const { ppid } = await run('introduce', { env: { GREETING: 'good morning' } });
  parent.say('a child gets its cwd and its environment from its parent');

  t.step('What goes into the stdin of cat comes out of its stdout');
  const sent = Buffer.from('hello\n');
  const cat = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
  parent.arrow('message', 'child', `${quoted(sent)}, ${sent.length} bytes, and the end`);
  cat.stdin.end(sent);
  const [echoed] = await Promise.all([buffer(cat.stdout), once(cat, 'close')]);
  child.arrow('message', 'parent', `${quoted(echoed)}, ${echoed.length} bytes`);

  // ANCHOR: ends
  t.step('How a process ends');
  const [code] = await once(spawn('sh', ['-c', 'exit 7'], { stdio: 'ignore' }), 'exit');
  child.arrow('exit', 'parent', `code ${code}: it said exit 7`);
  const victim = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(victim, 'spawn');
  parent.arrow('signal', 'child', 'SIGKILL');
  victim.kill('SIGKILL');
  const [none, signal] = await once(victim, 'exit');
  child.arrow('exit', 'parent', `code ${none}, signal ${signal}`);
  const failing = roles.fork('child', 'child.js', ['fail'], { stdio: ['ignore', 'ignore', 'pipe', 'ipc', 1] });
  const [stderr, uncaught] = await Promise.all([text(failing.stderr), roles.exit(failing)]);
  // ANCHOR_END: ends
  const lines = stderr.split('\n');
  child.say(`stderr begins "${path.basename(lines[0])}", where it was thrown, …`);
  child.say(`… and says "${lines.find((line) => line.startsWith('Error'))}"`);
  child.arrow('exit', 'parent', uncaught);

  const seenByCopy = await forkACopy();

  // ANCHOR: program
  t.step("Node's fork() copies nothing: it starts a new program");
  globalThis.v = 'old';
  parent.say(`globalThis.v is "${globalThis.v}", a ${typeof globalThis.v}`);
  const { type } = await run('look');
  // ANCHOR_END: program

  t.fact("the child's parent is this process", t.yes(ppid === process.pid));
  t.fact('bytes echoed', `${echoed.length} of ${sent.length}`);
  t.fact('exit code reported', code ?? 'none');
  t.fact('signal reported', signal ?? 'none');
  t.fact('an uncaught error ends in success', t.yes(uncaught === 'code 0'));
  t.fact('the variable in a fork(2) child', seenByCopy);
  t.fact('the variable in a spawned child', type === 'undefined' ? 'not there' : type);
}

main();
