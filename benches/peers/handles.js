'use strict';
// One open connection, passed to a child again and again: how often is the order. Says the child's process id first.

const { fork } = require('node:child_process');
const net = require('node:net');
const path = require('node:path');
const { carryOut, next } = require('./orders.js');

const child = fork(path.join(__dirname, 'handles_child.js'));
process.stdout.write(`${child.pid}\n`);

const server = net.createServer();
server.listen(0, '127.0.0.1', async () => {
  const socket = net.connect(server.address().port, '127.0.0.1');
  const [other] = await Promise.all([next(server, 'connection'), next(socket, 'connect')]);
  await carryOut(async (count) => {
    const start = process.hrtime.bigint();
    const done = next(child);
    for (let left = count - 1; left >= 0; left--) child.send(left, socket, { keepOpen: true });
    await done;
    return process.hrtime.bigint() - start;
  }, [child]);
  socket.destroy();
  other.destroy();
  server.close();
});
