// TLS without certificates: both sides know one key. `node tls.js worker` answers each connection with the worker's number;
// `node tls.js client PORT` connects twice and prints the answers, and whether the second session went on with the first.
'use strict';
const cluster = require('node:cluster');
const tls = require('node:tls');

const psk = Buffer.alloc(32, 'a key for a test');
// Sessions of 1.2 are resumed by tickets or by a server's own memory, and another worker has not that memory.
const common = { ciphers: 'PSK', maxVersion: 'TLSv1.2' };

const connect = (port, session) =>
  new Promise((resolve, reject) => {
    const how = { ...common, host: '127.0.0.1', port, session, checkServerIdentity() {} };
    const socket = tls.connect({ ...how, pskCallback: () => ({ psk, identity: 'a client' }) });
    const result = { answer: '', resumed: false };
    socket.once('error', reject);
    socket.once('secureConnect', () => (result.resumed = socket.isSessionReused()));
    socket.on('session', (ticket) => (result.session = ticket));
    socket.on('data', (data) => (result.answer += data));
    socket.once('close', () => resolve(result));
  });

const acts = {
  worker() {
    const server = tls.createServer({ ...common, pskCallback: () => psk }, (socket) => socket.end(`${cluster.worker.id}`));
    server.listen(0, '127.0.0.1', () => process.send(server.getTicketKeys().toString('hex')));
  },
  async client() {
    const port = Number(process.argv[3]);
    const first = await connect(port);
    const second = await connect(port, first.session);
    console.log(JSON.stringify([first.answer, first.resumed, second.answer, second.resumed]));
  },
};
acts[process.argv[2]]();
