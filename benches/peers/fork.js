'use strict';
// From fork() to the child's first message, from a parent that has as many MiB resident as its argument says.

const { fork } = require('node:child_process');
const path = require('node:path');
const { carryOut, next } = require('./orders.js');

const ballast = Buffer.alloc(Number(process.argv[2]) * 1024 * 1024, 1);
const script = path.join(__dirname, 'child.js');

carryOut(async (count) => {
  let total = 0n;
  for (let i = 0; i < count; i++) {
    const start = process.hrtime.bigint();
    const child = fork(script);
    await next(child);
    total += process.hrtime.bigint() - start;
    child.disconnect();
    await next(child, 'exit');
  }
  return total;
}).then(() => ballast.fill(0));
