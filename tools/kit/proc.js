'use strict';
// What the kernel tells about processes in /proc (see src/proc.rs).

const fs = require('node:fs');

// A process may end while we look, and other users' descriptors are hidden.
function orNothing(look) {
  try {
    return look();
  } catch {
    return '';
  }
}

// What a descriptor of this process refers to, and its number in the kernel: "socket, inode 123".
// ANCHOR: inode
function descriptor(fd) {
  return fs.readlinkSync(`/proc/self/fd/${fd}`).replace(/:\[(\d+)\]/, ', inode $1');
}

// The inode of the socket that a descriptor of this process refers to.
const inode = (fd) => Number(/^socket, inode (\d+)$/.exec(descriptor(fd))[1]);
// ANCHOR_END: inode

// The inodes of the sockets that listen on a TCP port, whatever their address. The tables are in hexadecimal: proc_pid_net(5).
// ANCHOR: listeners
function listeners(port) {
  const LISTEN = '0A';
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  // A kernel without IPv6 has no tcp6.
  const tables = fs.readFileSync('/proc/net/tcp', 'utf8') + orNothing(() => fs.readFileSync('/proc/net/tcp6', 'utf8'));
  const rows = tables.split('\n').map((row) => row.trim().split(/\s+/));
  return rows.filter(([, local, , state]) => local?.endsWith(end) && state === LISTEN).map((row) => Number(row[9]));
}
// ANCHOR_END: listeners

// Every descriptor of these sockets: pid, fd, and the name of the process. Only root can see other users' processes.
// ANCHOR: holders
function holders(inodes) {
  const sockets = inodes.map((number) => `socket:[${number}]`);
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const fds = [...orNothing(() => fs.readdirSync(`/proc/${pid}/fd`))];
    const ofThem = fds.filter((fd) => sockets.includes(orNothing(() => fs.readlinkSync(`/proc/${pid}/fd/${fd}`))));
    return ofThem.map((fd) => ({ pid: Number(pid), fd: Number(fd), name: name(pid) }));
  });
}
// ANCHOR_END: holders

// The name of a process: the first 15 bytes of its program's name, unless it has changed them.
function name(pid) {
  return orNothing(() => fs.readFileSync(`/proc/${pid}/comm`, 'utf8')).trimEnd();
}

function figure(file, key) {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(fs.readFileSync(`/proc/self/${file}`, 'utf8'))[1]);
}

// The resident memory of this process now, and the most that it has had so far, in KiB.
const resident = () => figure('status', 'VmRSS');
const peak = () => figure('status', 'VmHWM');

module.exports = { descriptor, inode, listeners, holders, name, resident, peak };
