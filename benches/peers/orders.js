'use strict';
// What the scripts here have in common: orders, one JSON value a line, come in by stdin, and each is answered by a number.

const readline = require('node:readline');

// Waits for the next message of a child, or for whatever event is named.
exports.next = (emitter, event = 'message') => new Promise((resolve) => emitter.once(event, resolve));

// Has `run` carry out each order; what it gives back are nanoseconds. At the end of the orders `children` end.
exports.carryOut = async (run, children = []) => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${await run(JSON.parse(line))}\n`);
  }
  for (const child of children) {
    child.disconnect();
    await exports.next(child, 'exit');
  }
};
