'use strict';
// A timeout kills the process that was started, and no other.

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const t = require('../../../tools/transcript/transcript.js');
const { inFolder } = require('../../../tools/transcript/folder.js');
const { exec, execFile } = require('./run.js');

const [parent, byExec, byExecFile, bySpawn] = t.voices('parent', 'exec', 'execFile', 'spawn');

// Two FIFOs, open here and without a name. cat reads `life`: when we close it, or die, cat ends.
// cat holds `end`: when that is at its end, cat is gone.
function openFifos() {
  return inFolder((folder) => {
    const [life, end] = ['life', 'end'].map((name) => path.join(folder, name));
    execFileSync('mkfifo', [life, end]);
    const { O_RDONLY, O_NONBLOCK } = fs.constants;
    return { life: fs.openSync(life, 'r+'), end: fs.openSync(end, O_RDONLY | O_NONBLOCK) };
  });
}

// The shell opens both itself, so that cat has them when its pid is printed.
function catInBackground({ life, end }) {
  const ours = `/proc/${process.pid}/fd`;
  return `exec 3<${ours}/${life} 4>${ours}/${end}; cat <&3 & echo $!; wait`;
}

async function ended(fifo) {
  const reader = new net.Socket({ fd: fifo, writable: false }).resume();
  await once(reader, 'close');
}

// A process is in /proc until somebody has waited for it, but from the first moment of its end on with this flag: proc(5).
const PF_EXITING = 0x4;

function isAlive(pid) {
  try {
    const [, flags] = /\) \S(?: -?\d+){5} (\d+)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return (flags & PF_EXITING) === 0;
  } catch {
    return false;
  }
}

async function killedShell() {
  t.step('timeout: exec kills the shell, and only the shell');
  const stubborn = await execFile('cat', { timeout: 50, killSignal: 'SIGKILL' });
  byExecFile.say(`cat, timeout 50 ms, killSignal SIGKILL: ended by ${stubborn.signal}`);

  const fifos = await openFifos();
  const shell = await exec(catInBackground(fifos), { timeout: 300 });
  const pid = Number(shell.stdout);
  byExec.say('cat <&3 & echo $!; wait, where 3 is a FIFO that I hold open');
  byExec.say(`timeout 300 ms: ended by ${shell.signal}`);
  byExec.say(`cat was pid ${pid}: what was printed before the end is kept`);
  const survived = isAlive(pid);
  parent.say(`pid ${pid} still runs: ${t.yes(survived)}`);
  fs.closeSync(fifos.life);
  await ended(fifos.end);
  parent.say('closed what it reads, and saw it end');
  return {
    'killSignal reported': stubborn.signal,
    'after a timeout the shell ended by': shell.signal,
    'what the shell had started survived': t.yes(survived),
  };
}

// ANCHOR: group
async function killedGroup() {
  t.step('The cure: a group of its own, and a signal to all of it');
  const fifos = await openFifos();
  const shell = spawn('sh', ['-c', catInBackground(fifos)], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const closed = once(shell, 'close');
  const [pid] = await once(readline.createInterface({ input: shell.stdout }), 'line');
  bySpawn.say(`detached: the shell is pid ${shell.pid}, cat is pid ${pid}`);
  parent.arrow('signal', 'spawn', `SIGTERM to the group ${-shell.pid}`);
  process.kill(-shell.pid, 'SIGTERM');
  const [, signal] = await closed;
  await ended(fifos.end);
  const survived = isAlive(pid);
  bySpawn.say(`the shell ended by ${signal}`);
  parent.say(`pid ${pid} still runs: ${t.yes(survived)}; what it reads was open all the time`);
  fs.closeSync(fifos.life);
  return { 'it survived a kill of the whole group': t.yes(survived) };
}
// ANCHOR_END: group

module.exports = { killedShell, killedGroup };
