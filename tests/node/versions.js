'use strict';
// Prints what the table "What differs between versions of Node" in the book says of this version.

const { spawn } = require('node:child_process');
const cluster = require('node:cluster');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');

// An address of this test alone: no other process takes the port between two listeners.
const { pid } = process;
const host = process.env.TEST_HOST ?? `127.${1 + (pid >> 16)}.${(pid >> 8) & 255}.${pid & 255}`;

function listen(port) {
  const server = net.createServer();
  const listens = new Promise((resolve) => {
    server.once('listening', () => resolve('it listens')).once('error', ({ code }) => resolve(code)).listen(port, host);
  });
  return { server, listens };
}

// The first of two workers listens twice on the port of the second, then closes one server and listens again.
async function worker(port) {
  const keys = [];
  process.on('internalMessage', ({ key }) => key && keys.push(key.replace(host, 'HOST').replace(port, 'PORT')));
  const first = listen(port);
  await first.listens;
  if (cluster.worker.id === 1) return;
  const any = listen(0);
  await any.listens;
  process.send({ keys });
  process.send({ twice: await listen(port).listens });
  await new Promise((resolve) => first.server.close(resolve));
  process.send({ again: await listen(port).listens });
  process.disconnect();
}

async function twoWorkers() {
  const found = net.createServer().listen(0, host);
  await once(found, 'listening');
  const { port } = found.address();
  found.close();
  await once(found, 'close');
  const seen = {};
  cluster.fork({ TEST_HOST: host, TEST_PORT: port });
  await once(cluster, 'listening');
  const second = cluster.fork({ TEST_HOST: host, TEST_PORT: port });
  second.on('message', (message) => Object.assign(seen, message));
  const [code] = await once(second, 'exit');
  if (code) seen.died = true;
  cluster.disconnect();
  return seen;
}

// The child's last message, the end of its channel and its exit reach a parent that is busy.
async function order() {
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'];
  const child = spawn('sh', ['-c', `read -r line <&3; printf '"bye"\\n' >&3`], { stdio });
  const order = [];
  for (const event of ['message', 'disconnect', 'exit', 'close']) child.on(event, () => order.push(event));
  await new Promise((resolve) => child.send('go', resolve));
  while (!fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') Z '));
  while (order.length < 4) await new Promise(setImmediate);
  return order;
}

async function primary() {
  cluster.setupPrimary({ silent: true });
  const seen = await twoWorkers();
  console.log(JSON.stringify({ ...seen, order: await order() }));
}

if (cluster.isPrimary) primary();
else worker(Number(process.env.TEST_PORT));
