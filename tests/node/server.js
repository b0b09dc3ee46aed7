// A Node worker of a primary that is no Node program: `node server.js WHAT [OPTIONS]`. What it listens on, with the options as JSON.
'use strict';
const cluster = require('node:cluster');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');

const { worker } = cluster;
const options = JSON.parse(process.argv[3] ?? '{"host":"127.0.0.1","port":0}');

const answer = (socket) => socket.on('error', () => {}).end(`${worker.id}`);
const confess = ({ code, errno, syscall }) => process.send({ code, errno, syscall });

// Listens, and then has nothing else to live for. Before that it is the channel that keeps it alive until there is an answer.
const alone = (then) =>
  net.createServer(answer).listen(options, () => {
    process.channel.unref();
    setImmediate(then);
  });

const acts = {
  // Answers every connection with the worker's number. Told to close, listen again, or disconnect it does so, and tells of an error.
  net() {
    const server = net.createServer(answer).on('error', confess);
    process.on('message', (what) => {
      if (what === 'close') server.close(() => process.send('closed'));
      if (what === 'again') server.listen(options, () => process.send('again'));
      if (what === 'disconnect') worker.disconnect();
    });
    server.listen(options);
  },
  // Says where it listens, as it sees it. Of an exclusive server the primary never hears, and to disconnect does not close it.
  address() {
    const server = net.createServer(answer).on('error', confess);
    process.once('disconnect', () => server.close());
    server.listen(options, () => process.send(server.address()));
  },
  // Listens with nothing but a callback.
  bare() {
    const server = net.createServer(answer);
    server.listen(() => process.send(server.address().port));
  },
  // Two servers for any port.
  pair() {
    const servers = [net.createServer(answer), net.createServer(answer)];
    servers[0].listen(options, () => {
      servers[1].listen(options, () => process.send(servers.map((server) => server.address().port)));
    });
  },
  // Listens in a domain.
  domain() {
    const domain = require('node:domain').create();
    domain.run(() => net.createServer(answer).listen(options));
  },
  // Does not expect an error.
  unprepared() {
    process.once('uncaughtException', confess);
    net.createServer(answer).listen(options);
  },
  // Answers requests; what it is passed is a connection, too.
  http() {
    const server = http.createServer((request, response) => response.end(`${worker.id}`));
    process.on('message', (value, socket) => server.emit('connection', socket));
    server.listen(options);
  },
  // Says line by line whether it still listens, as long as the connection lasts.
  lasting() {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write(`${server.listening}\n`));
      socket.on('end', () => socket.end('bye\n'));
    });
    server.listen(options);
  },
  // Looks away until something comes over stdin, and closes its server before it looks at the connections that came meanwhile.
  looksAway() {
    const server = net.createServer(answer);
    process.on('message', () => {
      process.send('looking away', () => {
        fs.readSync(0, Buffer.alloc(1));
        server.close();
      });
    });
    server.listen(options);
  },
  // Only its server could keep it alive, and that is closed.
  closedAlone() {
    const server = alone(() => server.close());
  },
  // Only its server keeps it alive.
  keptAlive() {
    const server = alone(() => {
      process.on('beforeExit', () => {
        if (server.listening) process.exit(1);
      });
      // Once round the loop with nothing else to do.
      setImmediate(() => setImmediate(() => process.send('alive')));
    });
  },
  // Its server could keep it alive, but is not to.
  notKeptAlive() {
    const server = alone(() => server.unref());
  },
  // Back and forth, and then closed.
  keptAliveAgain() {
    const server = alone(() => server.unref().ref().close(() => process.send('closed')));
  },
};
acts[process.argv[2]]();
