'use strict';
// Who has a socket that listens on a port: the kernel's table names the socket, /proc/PID/fd its holders.

const fs = require('node:fs');

const LISTEN = '0A';

// Without IPv6 there is no tcp6; and of the descriptors that readdir names, its own one is closed by then.
function orNothing(look) {
  try {
    return look();
  } catch {
    return '';
  }
}

// As readlink shows them: "socket:[inode]". The table is in hexadecimal: proc_net_tcp(5).
// ANCHOR: socket
function socketsOn(port) {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = ['tcp', 'tcp6'].map((table) => orNothing(() => fs.readFileSync(`/proc/net/${table}`, 'utf8')));
  const rows = tables.join('').split('\n').map((row) => row.trim().split(/\s+/));
  const listening = rows.filter(([, local, , state]) => local?.endsWith(end) && state === LISTEN);
  return listening.map((row) => `socket:[${row[9]}]`);
}
// ANCHOR_END: socket

// Those of these processes that can accept on this port.
function holders(port, pids) {
  const sockets = socketsOn(port);
  return pids.filter((pid) => {
    const folder = `/proc/${pid}/fd`;
    return fs.readdirSync(folder).some((fd) => sockets.includes(orNothing(() => fs.readlinkSync(`${folder}/${fd}`))));
  });
}

module.exports = { holders };
