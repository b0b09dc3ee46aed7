'use strict';
// Four workers serve a port that none of them has: the primary accepts, and gives each connection to the next one.

const cluster = require('node:cluster');
const { once } = require('node:events');
const http = require('node:http');
const { text } = require('node:stream/consumers');
const t = require('../../../tools/transcript/transcript.js');
const { holders } = require('./listeners.js');

const host = '127.0.0.1';
const CONNECTIONS = 40;

// ANCHOR: worker
function worker() {
  const server = http.createServer((request, response) => response.end(String(cluster.worker.id)));
  server.listen(0, host, () => t.own.say(`my listen(0) gave port ${server.address().port}`));
}
// ANCHOR_END: worker

// Who answers, and whether on a new connection. Without an agent it is one, and closed after its answer.
async function ask(port, agent = false) {
  const request = http.get({ host, port, agent });
  const [response] = await once(request, 'response');
  return { id: Number(await text(response)), isNew: !request.reusedSocket };
}

// How many of these each worker answered, by its id.
function countById(answers) {
  const ids = answers.map(({ id }) => id).sort((a, b) => a - b);
  return new Map([...new Set(ids)].map((id) => [id, ids.filter((other) => other === id).length]));
}

const numbers = (counts) => [...counts.values()].sort((a, b) => b - a).join(' ');

async function primary() {
  const [own, ...voices] = t.voices('primary', 'worker 1', 'worker 2', 'worker 3', 'worker 4', 'worker 5');
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ args: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc', 1] });

  // A worker that fails would be waited for.
  cluster.on('exit', (failed, code) => code && process.exit(code));

  // One after the other, so that they speak, and get connections, in this order.
  const start = async ({ voice }) => {
    const started = cluster.fork(t.seat(voice, 4));
    const [{ port }] = await once(started, 'listening');
    return { started, port };
  };

  const sequentially = async (port) => {
    const answers = [];
    for (let done = 0; done < CONNECTIONS; done += 1) answers.push(await ask(port));
    const counts = countById(answers);
    for (const [id, count] of counts) own.say(`worker ${id} answered ${count}`);
    return counts;
  };

  t.step('Four workers, one port');
  const workers = [];
  let port;
  for (const voice of voices.slice(0, 4)) {
    const { started, ...address } = await start(voice);
    workers.push(started);
    ({ port } = address);
  }
  own.say('who has the socket that listens there? /proc/net/tcp, /proc/PID/fd:');
  const pids = [process.pid, ...workers.map((one) => one.process.pid)];
  const found = holders(port, pids);
  for (const [i, { voice }] of [own, ...voices.slice(0, 4)].entries()) {
    own.say(`${voice}, pid ${pids[i]}: ${t.yes(found.includes(pids[i]))}`);
  }

  t.step('Forty connections, one request each');
  const first = await sequentially(port);

  t.step('Four connections kept open');
  const kept = [];
  const agents = [];
  // ANCHOR: kept
  for (const requests of [37, 1, 1, 1]) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    const answers = [];
    while (answers.length < requests) answers.push(await ask(port, agent));
    const [id, ...others] = countById(answers).keys();
    own.say(`client ${agents.length}: answers by worker ${[id, ...others].join(', ')}, requests: ${requests}`);
    kept.push(...answers);
  }
  for (const agent of agents) agent.destroy();
  // ANCHOR_END: kept

  t.step('A worker killed, and replaced');
  // ANCHOR: kill
  const [, killed] = workers;
  own.arrow('signal', 'worker 2', 'SIGKILL');
  // Only after both events is it out of the rotation for sure.
  const gone = [once(killed, 'exit'), once(killed, 'disconnect')];
  killed.process.kill('SIGKILL');
  const [[code, signal]] = await Promise.all(gone);
  voices[1].arrow('exit', 'primary', `code ${code}, signal ${signal}`);
  own.say(`its exitedAfterDisconnect is ${killed.exitedAfterDisconnect}: nobody asked for that`);
  const replacement = await start(voices[4]);
  workers.splice(1, 1);
  workers.push(replacement.started);
  // ANCHOR_END: kill
  const second = await sequentially(replacement.port);

  own.say('cluster.disconnect()');
  const exits = workers.map((one) => once(one, 'exit'));
  cluster.disconnect();
  const codes = (await Promise.all(exits)).map(([exitCode, exitSignal]) => exitSignal ?? exitCode);

  const alone = found.length === 1 && found[0] === process.pid;
  t.fact('who listens', alone ? 'the primary alone' : `${found.length} of ${pids.length} processes`);
  t.fact('connections', numbers(first));
  t.fact('kept connections', numbers(countById(kept.filter(({ isNew }) => isNew))));
  t.fact('requests on them', numbers(countById(kept)));
  t.fact('the killed worker', `${signal}, exited after disconnect: ${t.yes(killed.exitedAfterDisconnect)}`);
  t.fact('connections after its replacement', numbers(second));
  t.fact('by the workers', [...second.keys()].join(' '));
  t.fact('exit codes in the end', codes.join(' '));
}

if (cluster.isPrimary) primary();
else worker();
