'use strict';
// One port, two processes: the second cannot listen. What helps, what does not, and how soon random ports collide.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const t = require('../../../tools/transcript/transcript.js');
const { listen } = require('./listen.js');

const [parent] = t.voices('parent', 'child');

const forked = fork(path.join(__dirname, 'child.js'), {
  env: { ...process.env, ...t.seat('child', 4) },
  stdio: ['ignore', 'ignore', 'inherit', 'ipc', 1],
});

async function ask(part, options) {
  forked.send({ part, ...options });
  return (await once(forked, 'message'))[0];
}

const host = '127.0.0.1';

async function twoProcesses() {
  t.step('Two processes, one port');
  const server = await listen({ host, port: 0 });
  const { port } = server.address();
  parent.say(`pid ${process.pid} listens on ${host}, port ${port}`);
  const second = await ask('listen', { host, port });
  const holder = await ask('look', { port });

  t.step('SO_REUSEADDR does not help; another address does');
  parent.say('libuv sets SO_REUSEADDR on every TCP server: both had it all along');
  parent.say('it helps against what old connections leave, not against a listener');
  const reuseAddress = await ask('listen', { host, port });
  const elsewhere = await ask('listen', { host: '127.0.0.2', port });
  parent.say('I close mine');
  server.close();
  const after = await ask('listen', { host, port });
  return {
    'a second listen on the same port': second,
    'the holder found in /proc is the first process': t.yes(holder === process.pid),
    'SO_REUSEADDR while the first one listens': reuseAddress,
    'the same port on another address': elsewhere,
    'after the first one closed': after,
  };
}

async function reusePort() {
  t.step('SO_REUSEPORT, which both must set');
  parent.say(`this is Node ${process.version}; reusePort: true came with 22.12 and 23.1`);
  const server = await listen({ host, port: 0, reusePort: true });
  const { port } = server.address();
  parent.say(`I listen with that option on ${host}, port ${port}`);
  const outcome = await ask('listen', { host, port, reusePort: true });
  parent.say(outcome === 'free' ? 'two sockets, each with a queue of its own' : 'this Node ignores the option');
  server.close();
}

const PORTS = 1001; // as many as from 1000 to 2000, some of which only root may take
const FIRST = 20000;
const MANY = 200; // the observed share is then within 10 points of the computed one but for one run in a million

// ANCHOR: odds
// How likely it is that of so many processes, each with a random port, two have the same one.
function collision(processes) {
  let allDiffer = 1;
  for (let taken = 0; taken < processes; taken += 1) allDiffer *= 1 - taken / PORTS;
  return 1 - allDiffer;
}

// The share of so many processes that find their port taken: all but the first on each port that is drawn at all.
const refused = (processes) => 1 - (PORTS * (1 - (1 - 1 / PORTS) ** processes)) / processes;
// ANCHOR_END: odds

// One socket for each process, on an address that only this run uses.
async function observe(processes) {
  const own = `127.${64 + (process.pid >> 16)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
  const servers = [];
  for (let drawn = 0; drawn < processes; drawn += 1) {
    try {
      servers.push(await listen({ host: own, port: FIRST + Math.floor(Math.random() * PORTS) }));
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error;
    }
  }
  for (const server of servers) server.close();
  return 1 - servers.length / processes;
}

async function birthday() {
  t.step(`Random ports: each process takes one of ${PORTS}`);
  let processes = 1;
  while (collision(processes) <= 0.5) processes += 1;
  const percent = (share) => (share * 100).toFixed(1);
  parent.say(`${processes} processes: two choose the same port in ${percent(collision(processes))} of 100 cases`);
  const [computed, observed] = [refused(MANY), await observe(MANY)];
  parent.say(`${MANY} processes: computed ${percent(computed)} of 100 find their port taken`);
  parent.say(`${MANY} processes: observed ${percent(observed)} of 100, on real ports`);
  return {
    'processes at which a collision is likelier than not': processes,
    'observed within 10 points of computed': t.yes(Math.abs(observed - computed) <= 0.1),
  };
}

async function main() {
  const facts = await twoProcesses();
  await reusePort();
  Object.assign(facts, await birthday());
  forked.disconnect();
  await once(forked, 'exit');
  for (const [name, value] of Object.entries(facts)) t.fact(name, value);
}

main();
