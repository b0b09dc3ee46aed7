'use strict';
// What a process is: who it is, what it reads and writes, how it ends, and what its children get of its memory.

const { fork, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { buffer, text } = require('node:stream/consumers');
const t = require('../../../tools/transcript/transcript.js');

const [parent, child, grandchild] = t.voices('parent', 'child', 'grandchild');
const MIB = 1024 * 1024;
const quoted = (bytes) => JSON.stringify(bytes.toString());

// Runs one part of child.js to its end.
async function run(part) {
  const started = fork(path.join(__dirname, 'child.js'), [part], {
    env: { ...process.env, GREETING: 'good morning', ...t.seat('child', 4) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', 1],
  });
  let message;
  started.on('message', (received) => (message = received));
  const [stderr, [code]] = await Promise.all([text(started.stderr), once(started, 'close')]);
  return { message, stderr, code };
}

async function whoAmI() {
  t.step('Who am I?');
  const before = fs.readFileSync('/proc/self/comm', 'utf8').trim();
  process.title = 'lab 00';
  const after = fs.readFileSync('/proc/self/comm', 'utf8').trim();
  parent.say(`pid ${process.pid}, started by pid ${process.ppid}`);
  parent.say(`argv: ${process.argv.map((word) => path.basename(word)).join(' ')}`);
  parent.say(`cwd: ${process.cwd().replace(/^.+(?=.{50}$)/, '…')}`);
  parent.say(`title: was "${before}", is "${after}" since I said process.title = …`);
  parent.say(`up for ${process.uptime().toFixed(2)} s, memory ${(process.memoryUsage.rss() / MIB).toFixed(1)} MiB`);

  const { message } = await run('introduce');
  parent.say('a child gets its cwd and its environment from its parent');
  return message.ppid === process.pid;
}

async function echo() {
  t.step('What goes into the stdin of cat comes out of its stdout');
  const sent = Buffer.from('hello\n');
  const cat = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
  parent.arrow('message', 'child', `${quoted(sent)}, ${sent.length} bytes, and the end`);
  cat.stdin.end(sent);
  const [echoed] = await Promise.all([buffer(cat.stdout), once(cat, 'close')]);
  child.arrow('message', 'parent', `${quoted(echoed)}, ${echoed.length} bytes`);
  return `${echoed.length} of ${sent.length}`;
}

// ANCHOR: ends
async function ends() {
  t.step('How a process ends');
  const [code] = await once(spawn('sh', ['-c', 'exit 7'], { stdio: 'ignore' }), 'exit');
  child.arrow('exit', 'parent', `code ${code}: it said exit 7`);

  const cat = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(cat, 'spawn');
  parent.arrow('signal', 'child', 'SIGKILL');
  cat.kill('SIGKILL');
  const [none, signal] = await once(cat, 'exit');
  child.arrow('exit', 'parent', `code ${none}, signal ${signal}`);

  const thrown = await run('fail');
  const lines = thrown.stderr.split('\n');
  child.say(`stderr begins "${path.basename(lines[0])}", where it was thrown, …`);
  child.say(`… and says "${lines.find((line) => line.startsWith('Error'))}"`);
  child.arrow('exit', 'parent', `code ${thrown.code}`);
  return { code, signal, success: thrown.code === 0 };
}
// ANCHOR_END: ends

// ANCHOR: fork
// Node has no fork(2), but a shell does one for each ( … ) &. Such a job has /dev/null for its stdin, hence 3<&0.
const FORKING = `
  exec 3<&0
  v=old
  ( read -r go <&3; read -r pid rest </proc/self/stat; echo "grandchild $pid $v" ) &
  v=new
  echo "child $$ $v"
  wait`;

async function forkCopies() {
  t.step('fork(2) copies the memory: a shell and its subshell');
  const shell = spawn('sh', ['-c', FORKING], { stdio: ['pipe', 'pipe', 'ignore'] });
  const closed = once(shell, 'close');
  let copy;
  for await (const line of readline.createInterface({ input: shell.stdout })) {
    const [who, pid, v] = line.split(' ');
    if (who === 'child') {
      child.say(`pid ${pid}: I set v=old, forked, then set v=new; for me v is ${v}`);
      parent.arrow('message', 'grandchild', 'go');
      shell.stdin.end('go\n');
    } else {
      grandchild.say(`pid ${pid}: for me v is ${v}`);
      copy = v;
    }
  }
  await closed;
  return copy;
}
// ANCHOR_END: fork

// ANCHOR: program
async function forkStarts() {
  t.step("Node's fork() copies nothing: it starts a new program");
  globalThis.v = 'old';
  parent.say(`globalThis.v is "${globalThis.v}", a ${typeof globalThis.v}`);
  const { message } = await run('look');
  return message.type === 'undefined' ? 'not there' : message.type;
}
// ANCHOR_END: program

async function main() {
  const mine = await whoAmI();
  const echoed = await echo();
  const { code, signal, success } = await ends();
  const forked = await forkCopies();
  const spawned = await forkStarts();

  t.fact("the child's parent is this process", t.yes(mine));
  t.fact('bytes echoed', echoed);
  t.fact('exit code reported', code);
  t.fact('signal reported', signal);
  t.fact('an uncaught error ends in success', t.yes(success));
  t.fact('the variable in a fork(2) child', forked);
  t.fact('the variable in a spawned child', spawned);
}

main();
