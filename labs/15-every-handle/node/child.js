'use strict';
// The child of lab 15: uses what it is sent. Only what this process writes can hold its pid.

const { once } = require('node:events');
const net = require('node:net');
const { own } = require('../../../tools/transcript/transcript.js');

const greeting = `written by pid ${process.pid}`;

// ANCHOR: use
// Tells that it is ready, and serves one client.
function serveOne(server) {
  server.once('connection', (connection) => {
    connection.end(greeting);
    server.close();
  });
  process.send('ready');
}

const use = {
  server: serveOne,

  socket(socket) {
    socket.end(greeting);
  },

  datagrams(socket) {
    socket.once('message', (bytes, { port, address }) => socket.send(greeting, port, address, () => socket.close()));
    process.send('ready');
  },

  // No object of net's, but what is inside of one; it takes an object of our own around it to use it.
  async native(handle) {
    const server = net.createServer().listen(handle);
    await once(server, 'listening');
    serveOne(server);
  },
};
// ANCHOR_END: use

process.on('message', (kind, handle) => {
  own.say(`got an instance of ${handle.constructor.name}`);
  use[kind](handle);
});

// Whatever is still open then would keep this process alive.
process.once('disconnect', () => process.exit());
