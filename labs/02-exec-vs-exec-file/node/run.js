'use strict';
// exec and execFile as promises that are always kept: how a command failed is a result here.

const child_process = require('node:child_process');
const { promisify } = require('node:util');

// { stdout, stderr, pid }, and what the error tells beside them: code, signal, path.
const settled = (start) => async (...args) => {
  const running = start(...args);
  const result = await running.catch((error) => error);
  return Object.assign(result, { pid: running.child.pid });
};

module.exports = {
  exec: settled(promisify(child_process.exec)),
  execFile: settled(promisify(child_process.execFile)),
};
