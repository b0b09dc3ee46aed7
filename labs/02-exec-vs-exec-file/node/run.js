'use strict';
// exec and execFile as promises that are always kept: how a command failed is a result here.

const child_process = require('node:child_process');
const { promisify } = require('node:util');

// { stdout, stderr }, and what the error tells beside them: code, signal, path.
const settled = (start) => (...args) => start(...args).catch((error) => error);

module.exports = {
  exec: settled(promisify(child_process.exec)),
  execFile: settled(promisify(child_process.execFile)),
};
