'use strict';
// exec() or execFile() of a program that does nothing: [which, count].

const childProcess = require('node:child_process');
const { carryOut } = require('./orders.js');

const ways = {
  exec: (program, done) => childProcess.exec(program, done),
  exec_file: (program, done) => childProcess.execFile(program, done),
};

carryOut(async ([way, program, count]) => {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) {
    await new Promise((resolve, reject) => ways[way](program, (error) => (error ? reject(error) : resolve())));
  }
  return process.hrtime.bigint() - start;
});
