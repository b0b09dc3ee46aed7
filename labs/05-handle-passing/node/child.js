'use strict';
// A child of lab 05: accepts on the socket that it is sent, and says at the end how many connections it answered.

const fs = require('node:fs');
const { inode } = require('../../../tools/kit/proc.js');
const { own } = require('../../../tools/transcript/transcript.js');

// The second child has a file open already, as any two programs differ.
if (own.voice === 'child 2') fs.openSync('/dev/null');

let answered = 0;

// ANCHOR: receive
process.on('message', (message, server) => {
  if (message === 'accept') {
    server.on('connection', (connection) => {
      answered += 1;
      connection.end(own.voice);
    });
    const { fd } = server._handle;
    own.say(`here it is: for me it is fd ${fd}, inode ${inode(fd)}`);
    process.send({ fd, inode: inode(fd) });
  } else {
    own.say(`answered ${answered}`);
    process.send(answered);
  }
});
// ANCHOR_END: receive

// A server that listens keeps its process alive, with or without a parent.
process.once('disconnect', () => process.exit());
