'use strict';
// Listens, or says why not; and who listens already.

const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');

// ANCHOR: listen
async function listen(options) {
  const server = net.createServer().listen(options);
  await once(server, 'listening');
  return server;
}

// 'free', or the code of the error.
async function attempt(options) {
  try {
    (await listen(options)).close();
    return 'free';
  } catch (error) {
    return error.code;
  }
}
// ANCHOR_END: listen

// ANCHOR: holder
const LISTEN = '0A';

// The inode of the socket that listens on this port of 127.0.0.1. The table is in hexadecimal: proc_pid_net(5).
function inodeOf(port) {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').map((row) => row.trim().split(/\s+/));
  return rows.find(([, local, , state]) => local === address && state === LISTEN)?.[9];
}

// A process may end while we look, and others' descriptors are not ours to see.
function orNothing(look) {
  try {
    return look();
  } catch {
    return [];
  }
}

// Who has a descriptor for the socket with this inode: every process is asked for all of its own.
function holderOf(inode) {
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const folder = `/proc/${pid}/fd`;
    for (const fd of orNothing(() => fs.readdirSync(folder))) {
      if (orNothing(() => fs.readlinkSync(`${folder}/${fd}`)) === `socket:[${inode}]`) return { pid: Number(pid), fd };
    }
  }
  return null;
}
// ANCHOR_END: holder

module.exports = { listen, attempt, inodeOf, holderOf };
