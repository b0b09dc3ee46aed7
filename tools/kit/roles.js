'use strict';
// The roles of a lab: scripts beside its main one, as processes with a seat in the transcript (see src/roles.rs).

const child_process = require('node:child_process');
const { once } = require('node:events');
const os = require('node:os');
const path = require('node:path');
const t = require('../transcript/transcript.js');

// Forks `script`, which stands beside the lab's main script. It speaks as `speaker`, and finds its channel at descriptor 3.
function fork(speaker, script, args = [], options = {}) {
  return child_process.fork(path.join(path.dirname(require.main.filename), script), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', 1],
    ...options,
    env: { ...process.env, ...options.env, ...t.seat(speaker, 4) },
  });
}

// Waits for the process to exit; gives how it ended.
async function exit(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode ? `signal ${child.signalCode}` : `code ${child.exitCode}`;
}

// What the end of the transcript's reader (SIGPIPE) and Ctrl-C give as exit codes: all processes of a lab end by them, not one.
const SHARED = ['SIGPIPE', 'SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => 128 + os.constants.signals[signal]);

// The next message that comes from it. Not 'exit' but 'disconnect' says that none will come: some may arrive after the exit.
async function answer(child) {
  const answered = new AbortController();
  const ended = once(child, 'disconnect', { signal: answered.signal }).then(async () => {
    const ending = await exit(child);
    const status = child.exitCode ?? 128 + os.constants.signals[child.signalCode];
    if (SHARED.includes(status)) process.exit(status);
    throw new Error(`${path.basename(child.spawnargs[1])} ended without an answer: ${ending}`);
  });
  const [message] = await Promise.race([once(child, 'message'), ended]).finally(() => answered.abort());
  return message;
}

// Sends a message and gives the next one that comes.
function ask(child, message, handle) {
  child.send(message, handle);
  return answer(child);
}

// Disconnects the channel, too.
function end(child) {
  if (child.connected) child.disconnect();
  return exit(child);
}

module.exports = { fork, answer, ask, exit, end };
