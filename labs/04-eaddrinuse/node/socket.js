'use strict';
// Listening sockets. libuv sets SO_REUSEADDR on each, so there is none without an option.

const { once } = require('node:events');
const net = require('node:net');

const REUSE_ADDRESS = 'SO_REUSEADDR';
const REUSE_PORT = 'SO_REUSEPORT';

// ANCHOR: listen
async function listen(address, option) {
  const server = net.createServer().listen({ ...address, reusePort: option === REUSE_PORT });
  await once(server, 'listening');
  return server;
}
// ANCHOR_END: listen

module.exports = { REUSE_ADDRESS, REUSE_PORT, listen };
