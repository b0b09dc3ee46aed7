'use strict';
// The child of lab 03: which of its parts it plays is its argument.

const fs = require('node:fs');
const proc = require('../../../tools/kit/proc.js');
const { own } = require('../../../tools/transcript/transcript.js');

// What this process was started with, whatever it has done to its environment since.
function startedWith(name) {
  const environment = fs.readFileSync('/proc/self/environ', 'utf8').split('\0');
  return environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

function send(message) {
  own.arrow('message', 'parent', JSON.stringify(message));
  process.send(message);
}

const parts = {
  introduce() {
    const name = 'NODE_CHANNEL_FD';
    const fd = startedWith(name);
    const is = proc.descriptor(fd);
    own.say(`I was started with ${name}=${fd}; in process.env it is ${process.env[name]}`);
    own.say(`/proc/self/fd/${fd}: ${is}`);
    process.send([fd, is]);
  },

  answer() {
    process.on('message', (heard) => send({ heard }));
  },

  // ANCHOR: listen
  listen() {
    own.say('my work is done; I listen for messages');
    process.on('message', (word) => send(word.replace('ping', 'pong')));
    process.once('disconnect', () => own.say('disconnected: nothing is left to wait for'));
    process.send('done');
  },

  idle() {
    own.say('my work is done; I listen for nothing');
  },
  // ANCHOR_END: listen

  whisper() {
    send({ cmd: 'NODE_SECRET' });
    send({ cmd: 'plain' });
  },
};

parts[process.argv[2]]();
