// A Node worker of a primary that is no Node program: `node worker.js WHAT`. How it lives and ends; what it serves is in server.js.
'use strict';
const cluster = require('node:cluster');
const fs = require('node:fs');
const net = require('node:net');

const { worker } = cluster;

// Answers every connection with the worker's number.
const listen = (then) =>
  net.createServer((socket) => socket.end(`${worker.id}`)).listen(0, '127.0.0.1', then);

const acts = {
  // Does nothing, and is kept alive by being a worker.
  idle() {},
  // Says who it is, and listens.
  who() {
    process.send({
      worker: cluster.isWorker,
      id: worker.id,
      identified: 'NODE_UNIQUE_ID' in process.env,
      connected: worker.isConnected() && !worker.isDead(),
      cwd: process.cwd(),
      path: process.env.PATH,
    });
    listen();
  },
  // Serves, and sends every message back.
  echo() {
    process.on('message', (value) => process.send(value));
    listen();
  },
  // Says where its first message arrived, and as what.
  twice() {
    const seen = {};
    const see = (where, value) => {
      seen[where] = value;
      if (Object.keys(seen).length === 2) worker.send(seen);
    };
    process.once('message', (value) => see('process', value));
    worker.once('message', (value) => see('worker', value));
  },
  // Sends what looks like an answer, but is none, and then something for the user.
  nonsense() {
    for (const more of [{ ack: 99_999 }, { ack: 99_999, accepted: true }, { act: 'dance' }, { act: 5 }, {}]) {
      process.send({ cmd: 'NODE_CLUSTER', ...more });
    }
    process.on('message', (value) => process.send(value));
    process.send('and now sense');
  },
  // Sends back what comes over descriptor 4.
  pipe() {
    const pipe = new net.Socket({ fd: 4 });
    pipe.on('data', (data) => pipe.end(`${data}, there and back`));
    process.send('ready');
  },
  // Exits at once.
  exits() {
    process.exit(42);
  },
  // Exits as soon as it listens.
  exitsListening() {
    listen(() => process.exit(42));
  },
  // Listens, and exits when it is told to.
  exitsLater() {
    process.on('message', (code) => process.exit(code));
    listen();
  },
  // Has no time for anybody.
  spins() {
    process.send('spinning', () => {
      for (;;);
    });
  },
  // Closes the channel itself as soon as it listens.
  hangsUp() {
    listen(() => process.disconnect());
  },
  // Listens, and leaves in the way that it is told: `disconnect`, `kill` or `destroy`.
  leaves() {
    process.on('message', (way) => worker[way]());
    listen();
  },
  // Leaves at once.
  destroysItself() {
    worker.destroy();
  },
  // Leaves while it is already leaving.
  destroysItselfLeaving() {
    worker.once('disconnect', () => worker.destroy());
    worker.disconnect();
  },
  // Says by its exit code whether it still seems to be connected when the channel has ended.
  checksTheEnd() {
    worker.once('disconnect', () => process.exit(worker.isConnected() || process.connected || worker.isDead() ? 1 : 7));
  },
  // Listens, and exits in its own way when the channel has ended.
  exitsInItsHandler() {
    worker.once('disconnect', () => process.exit(worker.exitedAfterDisconnect ? 42 : 1));
    listen();
  },
  // Says on stdout how it ends: whoever started it may be gone by then.
  speaks() {
    process.on('exit', (code) => fs.writeSync(1, `a worker exits with ${code}\n`));
    listen();
  },
};
acts[process.argv[2]]();
