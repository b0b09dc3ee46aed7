'use strict';
// How a process answers on a listening socket, wherever it has it from.

const http = require('node:http');

// ANCHOR: serve
module.exports = {
  TCP(server, name) {
    server.on('connection', (connection) => connection.end(name));
  },

  // What comes over the channel is a server for TCP; its connections go to one for HTTP that does not listen itself.
  HTTP(server, name) {
    const web = http.createServer((request, response) => response.end(name));
    server.on('connection', (connection) => web.emit('connection', connection));
  },
};
// ANCHOR_END: serve
