'use strict';
// The child of lab 00: which of its parts it plays is its argument.

const { own } = require('../../../tools/transcript/transcript.js');

const parts = {
  introduce() {
    own.say(`pid ${process.pid}, started by pid ${process.ppid}`);
    own.say(`GREETING=${process.env.GREETING}`);
    process.send({ ppid: process.ppid });
  },

  fail() {
    throw new Error('nobody catches this');
  },

  look() {
    own.say(`pid ${process.pid}: typeof globalThis.v is "${typeof globalThis.v}"`);
    process.send({ type: typeof globalThis.v });
  },
};

parts[process.argv[2]]();
