'use strict';

const fs = require('node:fs');

// The number that a server's socket has in this process, and the inode that it has in the kernel.
// ANCHOR: inode
function socketOf(server) {
  const { fd } = server._handle;
  const [, inode] = /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/self/fd/${fd}`));
  return { fd, inode };
}
// ANCHOR_END: inode

module.exports = { socketOf };
