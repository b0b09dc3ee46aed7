'use strict';
// Four workers that serve one port, which none of them has: the primary accepts, and gives each connection to the next one.

const cluster = require('node:cluster');
const { once } = require('node:events');
const http = require('node:http');
const clients = require('../../../tools/kit/clients.js');
const proc = require('../../../tools/kit/proc.js');
const t = require('../../../tools/transcript/transcript.js');
const load = require('./load.js');

const NAMES = ['primary', 'worker 1', 'worker 2', 'worker 3', 'worker 4', 'worker 5'];

// ANCHOR: worker
function worker() {
  const server = http.createServer((request, response) => response.end(String(cluster.worker.id)));
  server.listen(0, '127.0.0.1', () => t.own.say(`my listen(0) gave port ${server.address().port}`));
}
// ANCHOR_END: worker

let address;

async function start(name) {
  const started = cluster.fork(t.seat(name, 4));
  [address] = await once(started, 'listening');
  return started;
}

async function primary() {
  const [own, , second] = t.voices(...NAMES);
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ args: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc', 1] });
  // A worker that fails would be waited for.
  cluster.on('exit', (failed, code) => code && process.exit(code));

  t.step('Four workers, one port');
  const running = [];
  // One after the other, so that they speak, and get connections, in this order.
  for (const name of NAMES.slice(1, 5)) running.push(await start(name));
  own.say('who has the socket that listens there? /proc/net/tcp, /proc/PID/fd:');
  const holders = proc.holders(proc.listeners(address.port));
  const pids = [process.pid, ...running.map((one) => one.process.pid)];
  const holding = pids.filter((pid) => holders.some((holder) => holder.pid === pid));
  for (const [i, pid] of pids.entries()) own.say(`${NAMES[i]}, pid ${pid}: ${t.yes(holding.includes(pid))}`);
  const alone = holders.length === 1 && holders[0].pid === process.pid;

  t.step('Forty connections, one request each');
  const first = await load.forty(own, address);

  t.step('Four connections kept open');
  const { kept, requests } = await load.kept(own, address);

  t.step('A worker killed, and replaced');
  // ANCHOR: kill
  const [killed] = running.splice(1, 1);
  own.arrow('signal', second.voice, 'SIGKILL');
  // Only after both events is it out of the rotation for sure.
  const gone = [once(killed, 'exit'), once(killed, 'disconnect')];
  killed.process.kill('SIGKILL');
  const [[code, signal]] = await Promise.all(gone);
  second.arrow('exit', own.voice, `code ${code}, signal ${signal}`);
  own.say(`its exitedAfterDisconnect is ${killed.exitedAfterDisconnect}: nobody asked for that`);
  running.push(await start(NAMES[5]));
  // ANCHOR_END: kill
  const after = await load.forty(own, address);

  own.say('cluster.disconnect()');
  const exits = running.map((one) => once(one, 'exit'));
  cluster.disconnect();
  const codes = (await Promise.all(exits)).map(([exitCode, exitSignal]) => exitSignal ?? exitCode);

  t.fact('who listens', alone ? 'the primary alone' : `${holding.length} of ${pids.length} processes`);
  t.fact('connections', clients.shares(first));
  t.fact('kept connections', clients.shares(kept));
  t.fact('requests on them', clients.shares(requests));
  t.fact('the killed worker', `${signal}, exited after disconnect: ${t.yes(killed.exitedAfterDisconnect)}`);
  t.fact('connections after its replacement', clients.shares(after));
  t.fact('by the workers', [...after.keys()].join(' '));
  t.fact('exit codes in the end', codes.join(' '));
}

if (cluster.isPrimary) primary();
else worker();
