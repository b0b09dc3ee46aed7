'use strict';
// The child of lab 15: uses what it is sent. Only what this process writes can hold its pid.

const dgram = require('node:dgram');
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

// A net.Socket and a dgram.Socket call their class by the same name. What is inside tells TCP from a Unix socket, which is a Pipe.
const CLASSES = { 'net.Server': net.Server, 'net.Socket': net.Socket, 'dgram.Socket': dgram.Socket };

process.on('message', (kind, handle) => {
  const name = Object.keys(CLASSES).find((key) => handle instanceof CLASSES[key]) ?? 'net.Native';
  const inside = handle instanceof dgram.Socket ? handle.type : (handle._handle ?? handle).constructor.name;
  own.say(`got a ${name} of kind ${inside}`);
  use[kind](handle);
});

// Whatever is still open then would keep this process alive.
process.once('disconnect', () => process.exit());
