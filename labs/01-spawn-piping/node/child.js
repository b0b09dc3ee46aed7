'use strict';
// The child of lab 01: writes one line to its stdout, and says so in the transcript, which is another descriptor.

// ANCHOR: child
const fs = require('node:fs');
const { own } = require('../../../tools/transcript/transcript.js');

const written = fs.writeSync(1, 'hello from the child\n');
own.say(`wrote ${written} bytes to my stdout`);
// ANCHOR_END: child
