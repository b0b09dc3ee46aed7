// A Node child of a parent that is no Node program: `node child.js WHAT`.
'use strict';
const net = require('node:net');

const acts = {
  // Sends every message back, with its handle.
  echo() {
    process.on('message', (value, handle) => process.send(value, handle));
  },
  // Says how many messages came, in order, at "how many?".
  count() {
    let next = 0;
    process.on('message', (value) => {
      if (value === 'how many?') process.send(next);
      else if (value === next) next++;
      else throw new Error(`${value} instead of ${next}`);
    });
  },
  // Sends 100,000 numbers. Disconnecting before the last one is written would drop what is not.
  numbers() {
    let next = 0;
    const more = () => {
      while (next < 99_999) if (!process.send(next++)) return setImmediate(more);
      process.send(next, () => process.disconnect());
    };
    process.once('message', more);
  },
  // Connects to a port a thousand times and sends each connection to the parent.
  connections() {
    process.on('message', (port) => {
      const connect = (number) => {
        if (number === 1_000) return;
        const socket = net.connect(port, '127.0.0.1', () => process.send([number, socket.localPort], socket, () => connect(number + 1)));
      };
      connect(0);
    });
  },
  // Sends a connection, and writes to its other end.
  gives() {
    const server = net.createServer((other) => {
      server.close();
      other.end('from node');
    });
    server.listen(0, '127.0.0.1', () => {
      const socket = net.connect(server.address().port, '127.0.0.1', () => process.send('a socket', socket));
    });
  },
  // Says what the callback of its send was called with.
  callback() {
    process.send('first', (error) => process.send(`called back with ${error}`));
  },
  // Takes a connection, writes to it and ends it.
  socket() {
    process.on('message', (value, socket) => socket.end(`${value} from node`));
  },
  // Takes a connection and writes to it.
  share() {
    process.on('message', (value, socket) => socket.write('from node'));
  },
  // Takes a server and answers one connection.
  server() {
    process.on('message', (value, server) => {
      server.once('connection', (socket) => {
        socket.end('from node');
        server.close();
        process.disconnect();
      });
      process.send('listening');
    });
  },
  // Takes a UDP socket and sends what comes to it, once.
  udp() {
    process.on('message', (value, socket) => {
      socket.once('message', (data, from) => {
        socket.send(`${data}, says node`, from.port, from.address, () => socket.close());
        process.disconnect();
      });
      process.send(socket.constructor.name);
    });
  },
  // Keeps its connections until it is told to close them.
  keep() {
    const kept = [];
    process.on('message', (value, socket) => {
      if (socket) kept.push(socket.on('data', () => {}));
      else if (value === 'close one') kept.pop().destroy();
      process.send(kept.length);
    });
  },
  // Says which internal messages came, and which came to the user.
  internal() {
    const seen = [];
    process.on('internalMessage', (message) => seen.push(`internal ${message.cmd}`));
    process.on('message', (message) => {
      seen.push(`user ${message.cmd}`);
      if (message.cmd === 'end') process.send(seen);
    });
  },
  // A throw in one handler does not lose the messages behind it.
  throwing() {
    process.on('uncaughtException', (error) => process.send(`caught ${error.message}`));
    process.on('message', (value) => {
      if (value === 1) throw new Error('one');
      process.send(value);
    });
  },
  // Nothing keeps it alive but its listener for the end of the channel.
  listener() {
    process.on('disconnect', () => process.exit(process.connected ? 1 : 7));
    process.send('up');
  },
  // Does not listen to the channel at all.
  deaf() {
    process.send(`fd ${process.channel.fd}, ${process.env.NODE_CHANNEL_FD}`);
  },
  // Dies with messages of its own just sent.
  dying() {
    for (let number = 0; number < 100; number++) process.send(number);
    process.kill(process.pid, 'SIGKILL');
  },
};
acts[process.argv[2]]();
