'use strict';
// What ends a program early: too much output, and too much time. Who is killed, and who is not.

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const t = require('../../../tools/transcript/transcript.js');
const { inFolder } = require('../../../tools/transcript/folder.js');
const { exec, execFile } = require('./run.js');

const [parent, byExec, byExecFile] = t.voices('parent', 'exec', 'execFile');

// Has a program write this many bytes; gives what became of them.
async function fill(bytes) {
  const { code, stdout } = await execFile('head', ['-c', String(bytes), '/dev/zero'], { encoding: 'buffer' });
  byExecFile.say(`${bytes} bytes: ${code ?? `accepted, ${stdout.length} kept`}`);
  return code ? `refused, ${stdout.length} kept` : 'accepted';
}

// Two FIFOs, open here and without a name. What cat reads from the first it sends back on the second. exec cannot give a child a socket.
function openFifos() {
  return inFolder((folder) => {
    const [input, output] = ['input', 'output'].map((name) => path.join(folder, name));
    execFileSync('mkfifo', [input, output]);
    const { O_RDONLY, O_NONBLOCK } = fs.constants;
    return { input: fs.openSync(input, 'r+'), output: fs.openSync(output, O_RDONLY | O_NONBLOCK) };
  });
}

// The shell opens both itself, so that cat has them when its pid is printed.
function line({ input, output }) {
  const ours = `/proc/${process.pid}/fd`;
  return `exec 3<${ours}/${input} 4>${ours}/${output}; cat <&3 >&4 & echo $!; wait`;
}

async function killedShell() {
  const fifos = await openFifos();
  byExec.say('cat <&3 >&4 & echo $!; wait, where 3 and 4 are FIFOs that I hold open');
  const shell = await exec(line(fifos), { timeout: 300 });
  byExec.say(`timeout 300 ms: ended by ${shell.signal}`);
  const pid = shell.stdout.trim();
  byExec.say(`cat was pid ${pid}: what was printed before the end is kept`);
  return { shell: shell.signal, survived: await survives(fifos, pid) };
}

// ANCHOR: group
// Whether cat still echoes. A signal was sent before this ping: whoever it was for dies before it can read another byte.
async function survives({ input, output }, pid) {
  const reader = new net.Socket({ fd: output, writable: false });
  const gone = once(reader, 'close');
  fs.writeSync(input, 'ping');
  const [echo] = await Promise.race([once(reader, 'data'), gone.then(() => [])]);
  parent.say(echo ? `pid ${pid} still runs, and echoes "${echo}"` : `pid ${pid} does not echo: it has ended, too`);
  fs.closeSync(input);
  await gone;
  if (echo) parent.say('gave it the end of its input, and saw it end');
  return echo !== undefined;
}

async function killedGroup() {
  const fifos = await openFifos();
  byExec.say('exec has no option for it: the same line, with spawn and detached');
  const shell = spawn('sh', ['-c', line(fifos)], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const closed = once(shell, 'close');
  const [pid] = await once(readline.createInterface({ input: shell.stdout }), 'line');
  parent.arrow('signal', 'exec', `SIGTERM to the group ${-shell.pid}`);
  process.kill(-shell.pid, 'SIGTERM');
  const [, signal] = await closed;
  byExec.say(`the shell was pid ${shell.pid}: ended by ${signal}`);
  return survives(fifos, pid);
}
// ANCHOR_END: group

async function timeOut() {
  t.step('timeout: exec kills the shell, and only the shell');
  const { signal } = await execFile('cat', { timeout: 50, killSignal: 'SIGKILL' });
  byExecFile.say(`cat, timeout 50 ms, killSignal SIGKILL: ended by ${signal}`);
  const timedOut = await killedShell();

  t.step('The cure: a group of its own, and a signal to all of it');
  return { killSignal: signal, ...timedOut, survivedGroup: await killedGroup() };
}

module.exports = { fill, timeOut };
