'use strict';
// An ordinary program's workers under Node's own primary: shared out in turn, one busy for ever, killed, replaced.

const cluster = require('node:cluster');
const { once } = require('node:events');
const http = require('node:http');
const path = require('node:path');
const clients = require('../../../tools/kit/clients.js');
const { begin, get } = require('../../../tools/kit/http.js');
const t = require('../../../tools/transcript/transcript.js');

const [primary, ...voices] = t.voices('primary', 'worker 1', 'worker 2', 'worker 3', 'worker 4', 'worker 5');
const AT_ONCE = 20;

// ANCHOR: start
cluster.setupPrimary({
  exec: path.join(__dirname, 'app.js'),
  args: [],
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
});
// ANCHOR_END: start

// A worker that fails would be waited for.
cluster.on('exit', (failed, code) => code && process.exit(code));

const workers = [];
let server;

// One after the other, so that they get connections in this order.
async function start() {
  const worker = cluster.fork({ PORT: 0 });
  [server] = await once(worker, 'listening');
  workers.push(worker);
  primary.say(`worker ${worker.id}, pid ${worker.process.pid}: app.js listens on port ${server.port}`);
}

const answeredBy = (answer) => workers.find((worker) => worker.process.pid === Number(answer));

// How many of forty connections, one after the other, each worker gets, in the order of their numbers.
async function forty() {
  const answers = await clients.inTurn(server, 40);
  const counts = clients.count(answers.map((answer) => answeredBy(answer).id));
  for (const [id, count] of counts) primary.say(`worker ${id} answered ${count}`);
  return clients.shares(counts);
}

// Connects, one time after the other, until each living worker has answered so many times.
async function untilEachHasAnswered(times) {
  const answers = [];
  const answered = (worker) => answers.filter((answer) => answeredBy(answer) === worker).length;
  while (workers.some((worker) => !worker.isDead() && answered(worker) < times)) answers.push(await get(server));
  return answers.length;
}

async function killBusy() {
  const spin = await begin(server, '/spin');
  const busy = answeredBy((await once(spin, 'data'))[0]);
  const { voice } = voices[busy.id - 1];
  primary.say(`GET /spin: ${voice} says who it is, and is busy for ever`);
  const cut = once(spin, 'end').then(() => 'complete', () => 'cut off, that answer cannot be saved');

  // ANCHOR: kill
  const agent = new http.Agent();
  const answers = [];
  // With round robin, a worker that has not taken a connection gets no second one: the others answer all but one.
  let flood;
  await new Promise((enough) => {
    const ask = async () => answers.push(await get(server, '/', { agent })) === AT_ONCE - 1 && enough();
    flood = Promise.allSettled(Array.from({ length: AT_ONCE }, ask));
  });
  const before = answers.length;
  primary.say(`${AT_ONCE} connections at once: the others have answered ${before}`);
  primary.arrow('signal', voice, 'SIGKILL');
  busy.process.kill('SIGKILL');
  const [code, signal] = await once(busy, 'exit');
  // ANCHOR_END: kill
  voices[busy.id - 1].arrow('exit', primary.voice, `code ${code}, signal ${signal}`);
  primary.say(`the client of /spin: ${await cut}`);

  // ANCHOR: lost
  // What has no answer when every worker that is left has answered several later connections is not going to get one.
  const later = await untilEachHasAnswered(3);
  primary.say(`until each of the others has answered three more: connected ${later}`);
  primary.say(`of the rest, the others have answered ${answers.length - before}`);
  const lost = `${AT_ONCE - answers.length} of ${AT_ONCE}`;
  primary.say(`connections lost: ${lost}`);
  if (answers.length < AT_ONCE) primary.say('given to a worker, and not taken: Node gives it to no other worker');
  // ANCHOR_END: lost
  agent.destroy();
  await flood;
  return { signal, lost };
}

async function main() {
  t.step("Four workers of app.js, under Node's own primary");
  while (workers.length < 4) await start();
  const size = workers.length;

  t.step('Forty connections, one after the other');
  const first = await forty();

  t.step('A worker is busy for ever, and killed under load');
  const { signal, lost } = await killBusy();

  t.step('Replaced, and forty connections again');
  await start();
  const second = await forty();
  primary.say('cluster.disconnect()');
  await new Promise((resolve) => cluster.disconnect(resolve));

  t.fact('workers', size);
  t.fact('connections', first);
  t.fact('ended by', signal);
  t.fact('connections lost with the killed worker', lost);
  t.fact('connections after its replacement', second);
}

main();
