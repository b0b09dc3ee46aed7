'use strict';
// Messages to a child and back, or one way: { round_trip, count, size }. Says the child's process id first.

const { fork } = require('node:child_process');
const path = require('node:path');
const { carryOut, next } = require('./orders.js');

const child = fork(path.join(__dirname, 'channel_child.js'), { serialization: process.argv[2] });
process.stdout.write(`${child.pid}\n`);

carryOut(async (order) => {
  const ready = next(child);
  child.send(order);
  await ready;
  const text = 'x'.repeat(order.size - 2);
  const start = process.hrtime.bigint();
  await (order.round_trip ? roundTrips(order.count, text) : oneWay(order.count, text));
  return process.hrtime.bigint() - start;
}, [child]);

function roundTrips(count, text) {
  return new Promise((resolve) => {
    let left = count;
    child.on('message', function answered() {
      if (--left > 0) return child.send(text);
      child.off('message', answered);
      resolve();
    });
    child.send(text);
  });
}

function oneWay(count, text) {
  const done = next(child);
  let left = count;
  (function more() {
    while (left > 0) {
      left--;
      // Too much is waiting. Without this pause Node is slower with long messages, and no faster with short ones.
      if (!child.send(text)) return setImmediate(more);
    }
  })();
  return done;
}
