'use strict';
// A child of lab 06: serves on each socket that it is sent, until it is told to close them.

const http = require('node:http');
const { own } = require('../../../tools/transcript/transcript.js');

const servers = [];

// ANCHOR: serve
const serve = {
  TCP(server) {
    server.on('connection', (connection) => connection.end(own.voice));
  },

  // What comes over the channel is a server for TCP; its connections go to one for HTTP that does not listen itself.
  HTTP(server) {
    const web = http.createServer((request, response) => response.end(own.voice));
    server.on('connection', (connection) => web.emit('connection', connection));
  },
};
// ANCHOR_END: serve

// ANCHOR: children
process.on('message', (message, server) => {
  if (message === 'close') {
    for (const listening of servers) listening.close();
    own.say('closed all that I had');
  } else {
    serve[message](server);
    servers.push(server);
    own.say(`serving ${message} on port ${server.address().port}`);
  }
  process.send('done');
});
// ANCHOR_END: children

// A server that listens keeps its process alive, with or without a parent.
process.once('disconnect', () => process.exit());
