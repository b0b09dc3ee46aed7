'use strict';
// A primary of lab 10, its four workers, and how many connections each of them gets.

const cluster = require('node:cluster');
const { once } = require('node:events');
const path = require('node:path');
const { get, keeping } = require('../../../tools/kit/http.js');
const { own } = require('../../../tools/transcript/transcript.js');

const CONNECTIONS = 100;
const CLIENTS = 8;
const ADDRESSES = 20;
const STAYING = 40;
const WORKERS = 4;

let server;

async function add(count) {
  const listening = Array.from({ length: count }, () => once(cluster.fork(), 'listening'));
  [[server]] = await Promise.all(listening);
}

async function start() {
  cluster.setupPrimary({ exec: path.join(__dirname, 'worker.js'), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  // A worker that fails would be waited for.
  cluster.on('exit', (failed, code) => code && process.exit(code));
  await add(Number(process.env.WORKERS));
  const policy = cluster.schedulingPolicy === cluster.SCHED_RR ? 'SCHED_RR' : 'SCHED_NONE';
  own.say(`NODE_CLUSTER_SCHED_POLICY=${process.env.NODE_CLUSTER_SCHED_POLICY} gives ${policy}`);
}

// Prints how many connections each worker answered, and gives that.
function show(verb, answers) {
  const counts = ['1', '2', '3', '4'].map((id) => answers.filter((answer) => answer === id).length);
  for (const [i, count] of counts.entries()) {
    own.say(`worker ${i + 1} ${verb} ${String(count).padStart(3)} ${'█'.repeat(Math.ceil(count / 2))}`.trimEnd());
  }
  return counts;
}

// One connection after the other, all from 127.0.0.1.
async function inTurn() {
  own.say('one after the other:');
  const answers = [];
  while (answers.length < CONNECTIONS) answers.push(await get(server));
  return show('gets', answers);
}

// Eight clients at a time, each of which connects again when it has its answer. Addresses take turns.
async function atATime(how, url) {
  own.say(`${CLIENTS} clients at a time, ${how}:`);
  const begun = performance.now();
  // ANCHOR: ask
  const answers = [];
  let next = 0;
  const client = async () => {
    while (next < CONNECTIONS) {
      const localAddress = `127.0.0.${1 + (next++ % ADDRESSES)}`;
      // A connection that fails is one that was not answered.
      const answer = await get(server, url, { localAddress }).catch(() => null);
      if (answer) answers.push(answer);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  // ANCHOR_END: ask
  const took = performance.now() - begun;
  show('took', answers);
  own.say(`all in ${took.toFixed(0)} ms`);
  return `${answers.length} of ${CONNECTIONS}`;
}

const rounds = {
  'in turn': inTurn,

  // Other clients keep their connections to worker 1, which was the only one.
  async 'in turn while forty stay'() {
    const staying = Array.from({ length: STAYING }, keeping);
    for (const agent of staying) await get(server, '/', { agent });
    await add(WORKERS - 1);
    own.say(`${STAYING} clients stay connected to worker 1, then the others start`);
    const counts = await inTurn();
    for (const agent of staying) agent.destroy();
    return counts;
  },

  'at a time': () => atATime('equal workers', '/'),
  'one slow': () => atATime('worker 1 answers 20 ms later', '/one-slow'),
};

process.on('message', async (round) => process.send(await rounds[round]()));

// When the workers have exited, there is nothing left to stay for.
process.once('disconnect', () => cluster.disconnect());

start().then(() => process.send('ready'));
