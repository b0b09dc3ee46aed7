'use strict';
// A child of lab 06: serves on each socket that it is sent, until it is told to close them.

const { own } = require('../../../tools/transcript/transcript.js');
const serve = require('./serve.js');

const servers = [];

// ANCHOR: children
process.on('message', (message, server) => {
  if (message === 'close') {
    for (const listening of servers) listening.close();
    own.say('closed all that I had');
  } else {
    serve[message](server, own.voice);
    servers.push(server);
    own.say(`serving ${message} on port ${server.address().port}`);
  }
  process.send('done');
});
// ANCHOR_END: children

// A server that listens keeps its process alive, with or without a parent.
process.once('disconnect', () => process.exit());
