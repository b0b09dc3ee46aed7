'use strict';
// What passes through the pipes: written block by block, and compared when it comes back.

const { once } = require('node:events');

const TOTAL = 100 * 2 ** 20;
const BLOCK = 64 * 1024; // as much as a pipe holds: pipe(7)

// The stream repeats after so many bytes, a prime: behind a block that is lost, or comes twice, nothing fits any more.
const PERIOD = 251;
const bytes = Buffer.from(Array.from({ length: PERIOD + BLOCK }, (_, place) => place % PERIOD));
const bytesAt = (place, length) => bytes.subarray(place % PERIOD, (place % PERIOD) + length);

// ANCHOR: flow
async function pour(stdin) {
  let sent = 0;
  let waits = 0;
  for (; sent < TOTAL; sent += BLOCK) {
    if (!stdin.write(bytesAt(sent, BLOCK))) {
      waits += 1;
      await once(stdin, 'drain');
    }
  }
  stdin.end();
  return { sent, waits };
}

async function drain(stdout) {
  let received = 0;
  let same = true;
  for await (const chunk of stdout) {
    same &&= chunk.equals(bytesAt(received, chunk.length));
    received += chunk.length;
  }
  return { received, same };
}
// ANCHOR_END: flow

module.exports = { TOTAL, pour, drain };
