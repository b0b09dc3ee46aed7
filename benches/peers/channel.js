'use strict';
// Messages to a child and back, or one way: { round_trip, count, message }. Says the child's process id first.

const { fork } = require('node:child_process');
const path = require('node:path');
const { carryOut, next } = require('./orders.js');

const child = fork(path.join(__dirname, 'channel_child.js'), { serialization: process.argv[2] });
process.stdout.write(`${child.pid}\n`);

carryOut(async ({ round_trip, count, message }) => {
  const ready = next(child);
  child.send({ round_trip, count });
  await ready;
  const start = process.hrtime.bigint();
  await (round_trip ? roundTrips(count, message) : oneWay(count, message));
  return process.hrtime.bigint() - start;
}, [child]);

function roundTrips(count, message) {
  return new Promise((resolve) => {
    let left = count;
    child.on('message', function answered() {
      if (--left > 0) return child.send(message);
      child.off('message', answered);
      resolve();
    });
    child.send(message);
  });
}

function oneWay(count, message) {
  const done = next(child);
  let left = count;
  (function more() {
    while (left > 0) {
      left--;
      // Too much is waiting. Without this pause Node is slower with long messages, and no faster with short ones.
      if (!child.send(message)) return setImmediate(more);
    }
  })();
  return done;
}
