'use strict';
// Who gets the next connection? Node has two answers, and a primary keeps to one of them: so there are two primaries.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const t = require('../../../tools/transcript/transcript.js');

const [client] = t.voices('client', 'primary');
const WORKERS = 4;
const CONNECTIONS = 100;
const CLIENTS = 8;

// A primary with this policy, as the environment can name it.
async function start(policy) {
  const primary = fork(path.join(__dirname, 'primary.js'), {
    env: { ...process.env, NODE_CLUSTER_SCHED_POLICY: policy, WORKERS, ...t.seat('primary', 4) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', 1],
  });
  primary.once('exit', (code) => code && process.exit(code));
  const [address] = await once(primary, 'message');
  return { primary, address };
}

async function end({ primary }) {
  primary.disconnect();
  await once(primary, 'exit');
}

// The id of the worker that answers. Without an agent, each request has a connection of its own.
// ANCHOR: ask
async function ask(address, url) {
  const [response] = await once(http.get({ ...address, path: url, agent: false }), 'response');
  return Number(await text(response));
}
// ANCHOR_END: ask

// So many clients, each of which connects again when it has its answer. Gives the answers of each worker.
async function load({ address }, clients, url = '/') {
  const counts = Array(WORKERS).fill(0);
  let left = CONNECTIONS;
  const run = async () => {
    while (left > 0) {
      left -= 1;
      const id = await ask(address, url).catch(() => null);
      if (id) counts[id - 1] += 1;
    }
  };
  const before = performance.now();
  await Promise.all(Array.from({ length: clients }, run));
  const took = performance.now() - before;
  for (const [i, count] of counts.entries()) {
    client.say(`worker ${i + 1} ${String(count).padStart(3)} ${'█'.repeat(Math.ceil(count / 2))}`);
  }
  client.say(`in ${took.toFixed(0)} ms`);
  return counts;
}

const answered = (counts) => `${counts.reduce((sum, count) => sum + count)} of ${CONNECTIONS}`;

async function main() {
  t.step(`Round robin: ${CONNECTIONS} connections, one after the other`);
  const roundRobin = await start('rr');
  const inTurn = await load(roundRobin, 1);

  t.step(`Round robin: ${CLIENTS} clients at a time`);
  const equal = await load(roundRobin, CLIENTS);

  t.step('Round robin: worker 1 answers 20 ms later');
  const oneSlow = await load(roundRobin, CLIENTS, '/one-slow');
  client.say('a worker is free when it has taken a connection, answered or not');
  await end(roundRobin);

  t.step(`Shared: ${CLIENTS} clients at a time`);
  const shared = await start('none');
  const sharedEqual = await load(shared, CLIENTS);

  t.step('Shared: worker 1 answers 20 ms later');
  const sharedSlow = await load(shared, CLIENTS, '/one-slow');
  client.say('who waits for its own answer can still accept');
  await end(shared);

  t.fact('round robin, one after the other', inTurn.join(' '));
  t.fact('round robin, equal workers, answered', answered(equal));
  t.fact('round robin, one slow, answered', answered(oneSlow));
  t.fact('shared, equal workers, answered', answered(sharedEqual));
  t.fact('shared, one slow, answered', answered(sharedSlow));
}

main();
