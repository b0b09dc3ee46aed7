// A Node worker of a primary that is no Node program: `node datagram.js WHAT [OPTIONS]`. Its UDP sockets.
'use strict';
const dgram = require('node:dgram');

const options = JSON.parse(process.argv[3] ?? '{"address":"127.0.0.1","port":0}');
const confess = ({ code }) => process.send({ code });
const bind = (kind, where) =>
  new Promise((resolve, reject) => {
    const socket = dgram.createSocket(kind);
    socket.once('error', (error) => reject(error)).bind(where, () => resolve(socket));
  });
const close = (socket) => new Promise((resolve) => socket.close(resolve));

const acts = {
  // Passes on what it receives.
  async receives() {
    const socket = await bind('udp4', options);
    socket.on('message', (data) => process.send(`${data}`));
  },
  // Sends ten datagrams to the port that it is told.
  async sends() {
    const socket = await bind('udp4', options);
    process.on('message', (port) => {
      for (let number = 0; number < 10; number++) socket.send(`${number}`, port, '127.0.0.1');
    });
  },
  // Binds and closes, again and again, with another one open or not, and says how it went.
  async again() {
    for (let round = 0; round < 8; round++) await close(await bind('udp4', options));
    const kept = await bind('udp4', options);
    const ports = new Set([kept.address().port]);
    for (let round = 0; round < 8; round++) {
      const other = await bind('udp4', options);
      ports.add(other.address().port);
      await close(other);
    }
    await close(kept);
    process.send({ apart: ports.size > 1 });
  },
  // One port for IPv6 and for IPv4, each its own.
  async apart() {
    for (let tries = 0; tries < 8; tries++) {
      const six = await bind({ type: 'udp6', ipv6Only: true }, { address: '::', port: 0 });
      const { port } = six.address();
      try {
        const four = await bind('udp4', { address: '0.0.0.0', port });
        return process.send({ same: four.address().port === port });
      } catch (error) {
        // Another process may have that port for IPv4; that it has all of these is no coincidence.
        if (error.code !== 'EADDRINUSE') throw error;
        await close(six);
      }
    }
    process.send({ same: false });
  },
};
acts[process.argv[2]]().catch(confess);
