'use strict';
// A child that knows the protocol and nothing else: it works under any parent that speaks it.
//
// ANCHOR: words
// It is told                     and does this
//   {"say": word}                  sends {"heard": word, "by": "node"}
//   {"ask": word}                  sends {"say": word}; is answered {"heard": word, "by": …}; sends {"understood": true}
//   {"take": "socket"} + a socket  writes "from child\n" on it, and closes it
//   {"take": "server"} + a server  sends {"serving": true}; accepts one connection, writes "served by child\n" on it,
//                                  closes both
//   {"give": "socket"}             sends {"take": "socket"} + one of two joined sockets; reads the other one to its end;
//                                  sends {"read": what it read}
//   {"give": "server"}             sends {"take": "server"} + a server; is answered {"serving": true}; closes its own,
//                                  connects, reads to the end; sends {"read": what it read}
//   {"bye": true}                  disconnects
// ANCHOR_END: words

const { once } = require('node:events');
const net = require('node:net');
const { text } = require('node:stream/consumers');

async function listen() {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const connectTo = ({ port, address }) => net.connect(port, address);

const parts = {
  say: (word) => process.send({ heard: word, by: 'node' }),

  async ask(word) {
    process.send({ say: word });
    const [{ heard }] = await once(process, 'message');
    process.send({ understood: heard === word });
  },

  // ANCHOR: take
  take(kind, handle) {
    if (kind === 'socket') {
      handle.end('from child\n');
    } else {
      handle.once('connection', (connection) => {
        connection.end('served by child\n');
        handle.close();
      });
      process.send({ serving: true });
    }
  },
  // ANCHOR_END: take

  async give(kind) {
    const server = await listen();
    const address = server.address();
    if (kind === 'socket') {
      const kept = connectTo(address);
      const [given] = await once(server, 'connection');
      server.close();
      process.send({ take: kind }, given);
      process.send({ read: await text(kept) });
    } else {
      process.send({ take: kind }, server);
      await once(process, 'message');
      server.close();
      process.send({ read: await text(connectTo(address)) });
    }
  },

  bye: () => process.disconnect(),
};

process.on('message', (message, handle) => {
  const [[verb, object]] = Object.entries(message);
  parts[verb]?.(object, handle); // the other verbs are answers, which somebody waits for
});

process.once('disconnect', () => process.exit());
