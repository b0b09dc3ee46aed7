'use strict';
// A primary of lab 10: its policy is in its environment, where Node looks for it.

const cluster = require('node:cluster');
const { once } = require('node:events');
const path = require('node:path');
const { own } = require('../../../tools/transcript/transcript.js');

const workers = Number(process.env.WORKERS);
const name = cluster.schedulingPolicy === cluster.SCHED_RR ? 'SCHED_RR' : 'SCHED_NONE';

async function main() {
  cluster.setupPrimary({ exec: path.join(__dirname, 'worker.js'), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  // A worker that fails would be waited for.
  cluster.on('exit', (failed, code) => code && process.exit(code));
  // All at once: when we are told to end, no one is still to be forked.
  const listening = Array.from({ length: workers }, () => once(cluster.fork(), 'listening'));
  const [[{ address, port }]] = await Promise.all(listening);
  own.say(`${name}, ${workers} workers on port ${port}`);
  process.send({ host: address, port });
}

// When they have exited, there is nothing left to stay for.
process.once('disconnect', () => cluster.disconnect());

main();
