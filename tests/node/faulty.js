// A Node worker to which faults happen: `node faulty.js WHAT`. WHAT is what it does with a connection; messages do the
// rest.
'use strict';
const cluster = require('node:cluster');
const fs = require('node:fs');
const net = require('node:net');

const { worker } = cluster;
// Descriptors that are of no use.
const filling = [];

const acts = {
  // Writes its number and closes.
  answer: (socket) => socket.end(`${worker.id}\n`),
  // Writes its number, then everything back.
  echo(socket) {
    socket.write(`${worker.id}\n`);
    socket.pipe(socket);
  },
  // Answers one, and exits with code 3.
  once(socket) {
    socket.end(`${worker.id}\n`, () => process.exit(3));
  },
  // Accepts, and says nothing.
  hold() {},
  // Answers, and leaves the cluster at its tenth connection, with others perhaps on their way to it.
  tenth(socket) {
    acts.answer(socket);
    acts.served = (acts.served ?? 0) + 1;
    if (acts.served === 10) worker.disconnect();
  },
};

const messages = {
  // Does nothing any more.
  spin() {
    process.send('spinning', () => {
      for (;;);
    });
  },
  // Leaves no descriptor free.
  fill() {
    try {
      for (;;) filling.push(fs.openSync('/dev/null'));
    } catch (error) {
      process.send(error.code === 'EMFILE' ? 'full' : error.code);
    }
  },
  // Has them free again.
  drain() {
    filling.splice(0).forEach((fd) => fs.closeSync(fd));
    process.send('empty');
  },
  // Leaves the cluster by its own wish.
  leave() {
    worker.disconnect();
  },
};

process.on('message', (what) => messages[what]());
const server = net
  .createServer({ allowHalfOpen: true }, (socket) => {
    // A client may go whenever it likes.
    socket.on('error', () => {});
    acts[process.argv[2]](socket);
  })
  .listen(0, '127.0.0.1');
if (process.argv[2] === 'once') server.maxConnections = 1;
