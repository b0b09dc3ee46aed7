'use strict';
// An ordinary program's workers under Node's own primary: shared out in turn, one busy for ever, killed, replaced.

const cluster = require('node:cluster');
const { once, setMaxListeners } = require('node:events');
const http = require('node:http');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { setTimeout: after } = require('node:timers/promises');
const t = require('../../../tools/transcript/transcript.js');

const [primary, ...voices] = t.voices('primary', 'worker 1', 'worker 2', 'worker 3', 'worker 4', 'worker 5');
const WORKERS = 4;
const CONNECTIONS = 40;
const AT_ONCE = 20;
const PATIENCE_MS = 300;

// ANCHOR: start
cluster.schedulingPolicy = cluster.SCHED_RR;
cluster.setupPrimary({
  exec: path.join(__dirname, 'app.js'),
  args: [],
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
});
// ANCHOR_END: start

// A worker that fails would be waited for.
cluster.on('exit', (failed, code) => code && process.exit(code));

const forked = [];
let address;

// One after the other, so that they get connections in this order.
async function start() {
  const worker = cluster.fork({ PORT: 0 });
  [address] = await once(worker, 'listening');
  forked.push(worker);
  primary.say(`worker ${worker.id}, pid ${worker.process.pid}: app.js listens on port ${address.port}`);
}

const workerOf = (pid) => forked.find((worker) => worker.process.pid === Number(pid));

// Without an agent, each request has a connection of its own.
async function get(url, options) {
  const request = http.get({ host: address.address, port: address.port, path: url, agent: false, ...options });
  const [response] = await once(request, 'response');
  return response;
}

// How many connections each worker got of these, by its id.
async function split() {
  const counts = new Map();
  for (let done = 0; done < CONNECTIONS; done += 1) {
    const { id } = workerOf(await text(await get('/')));
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const byId = [...counts].sort(([a], [b]) => a - b);
  for (const [id, count] of byId) primary.say(`worker ${id} answered ${count}`);
  return byId.map(([, count]) => count).join(' ');
}

// Opens so many connections at once. `some` resolves when all but one have been answered.
function flood(limit) {
  const answers = [];
  let enough;
  const some = new Promise((resolve) => (enough = resolve));
  const ask = async () => {
    answers.push(await text(await get('/', { signal: limit.signal })));
    if (answers.length === AT_ONCE - 1) enough();
  };
  const all = Promise.allSettled(Array.from({ length: AT_ONCE }, ask));
  return { answers, some, all };
}

// Gives what ended the worker.
async function killBusy() {
  const response = await get('/spin');
  const [begun] = await once(response, 'data');
  const busy = workerOf(begun);
  primary.say(`GET /spin: worker ${busy.id} says who it is, and is busy for ever`);
  const cut = once(response, 'end').then(() => 'no error', ({ code }) => code);

  // ANCHOR: kill
  const limit = new AbortController();
  setMaxListeners(AT_ONCE, limit.signal);
  const { answers, some, all } = flood(limit);
  await some;
  primary.say(`${AT_ONCE} connections at once: ${answers.length} are answered, by the others`);
  primary.arrow('signal', `worker ${busy.id}`, 'SIGKILL');
  busy.process.kill('SIGKILL');
  const [code, signal] = await once(busy, 'exit');
  voices[busy.id - 1].arrow('exit', 'primary', `code ${code}, signal ${signal}`);
  primary.say(`the client of /spin: ${await cut}, that answer cannot be saved`);

  await Promise.race([all, after(PATIENCE_MS)]);
  limit.abort();
  await all;
  primary.say(`no answer ${PATIENCE_MS} ms later: ${AT_ONCE - answers.length} of ${AT_ONCE}`);
  primary.say('it was given away, and never taken: Node gives it to nobody else');
  // ANCHOR_END: kill
  return signal;
}

async function main() {
  t.step("Four workers of app.js, under Node's own primary");
  while (forked.length < WORKERS) await start();
  const workers = forked.length;

  t.step('Forty connections, one after the other');
  const first = await split();

  t.step('A worker is busy for ever, and killed under load');
  const signal = await killBusy();

  t.step('Replaced, and forty connections again');
  await start();
  const second = await split();

  const living = forked.filter((worker) => !worker.isDead());
  const exits = living.map((worker) => once(worker, 'exit'));
  for (const worker of living) worker.disconnect();
  await Promise.all(exits);

  t.fact('workers', workers);
  t.fact('connections', first);
  t.fact('ended by', signal);
  t.fact('connections after its replacement', second);
}

main();
