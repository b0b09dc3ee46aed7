// A Node parent of a child that is no Node program: `node parent.js PROGRAM WHAT`. Prints one line of JSON: what it has seen.
// Where it disconnects itself it waits for `exit`: Node emits no `close` then.
'use strict';
const { fork } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const dgram = require('node:dgram');

const [program, what] = process.argv.slice(2);
const child = (mode, options) => fork(mode, [], { execPath: program, execArgv: [], ...options });
const done = (value) => console.log(JSON.stringify(value));

const acts = {
  // Every value comes back as it was sent.
  values() {
    const values = ['text', 'wörld\n\u2028', 1.5, -7, true, false, null, [], { a: { b: [null, { c: '' }] } }, 'é'.repeat(400_000)];
    const c = child('echo');
    const back = [];
    c.on('message', (value) => {
      back.push(value);
      if (back.length === values.length) c.disconnect();
    });
    values.forEach((value) => c.send(value));
    c.on('exit', (code, signal) => done([JSON.stringify(back) === JSON.stringify(values), code, signal]));
  },
  // 100,000 messages there and back, in order.
  many() {
    const c = child('echo');
    let [sent, next] = [0, 0];
    const more = () => {
      while (sent < 100_000) if (!c.send(sent++)) return setImmediate(more);
    };
    c.on('message', (value) => {
      if (value !== next++) throw new Error(`${value} instead of ${next - 1}`);
      if (next === 100_000) c.disconnect();
    });
    c.on('exit', (code) => done([next, code]));
    more();
  },
  // 1,000 connections there and back, in order, each the one that was sent.
  handles() {
    const c = child('echo');
    const ports = [];
    let next = 0;
    const server = net.createServer((socket) => c.send(ports.push(socket.remotePort) - 1, socket));
    c.on('message', (value, socket) => {
      if (value !== next || socket.remotePort !== ports[next]) throw new Error(`not number ${next}`);
      next++;
      socket.end('done');
    });
    server.listen(0, '127.0.0.1', () => {
      let ended = 0;
      const connect = (number) => {
        if (number === 1_000) return;
        net.connect(server.address().port, '127.0.0.1').on('data', () => connect(number + 1)).on('close', () => {
          if (++ended === 1_000) {
            server.close();
            c.disconnect();
          }
        });
      };
      connect(0);
    });
    c.on('exit', (code) => done([next, code]));
  },
  // Handles of every kind that is public, there and back, and used.
  kinds() {
    const c = child('echo');
    const seen = [];
    const server = net.createServer((socket) => socket.end('answered'));
    const udp = dgram.createSocket('udp4');
    udp.bind(0, '127.0.0.1', () => server.listen(0, '127.0.0.1', () => {
      c.send('server', server);
      c.send('udp', udp);
    }));
    c.on('message', (value, handle) => {
      seen.push([value, handle.constructor.name, handle.address().port === (value === 'udp' ? udp : server).address().port]);
      if (value === 'server') return handle.close();
      handle.close();
      udp.close();
      server.close();
      c.disconnect();
    });
    c.on('exit', (code) => done([...seen, code]));
  },
  // The boolean of send, behind a handle that is not acknowledged yet.
  booleans() {
    const c = child('keep');
    const server = net.createServer().listen(0, '127.0.0.1', () => c.once('message', () => {
      const answers = [c.send('1', server), c.send('2'), c.send('3'), c.send('4')];
      let more = 4;
      c.on('message', () => {
        if (--more) return;
        server.close();
        c.disconnect();
        c.on('exit', (code) => done([...answers, code]));
      });
    }));
  },
  // getConnections and close of a server whose connections the child holds.
  connections() {
    const c = child('keep');
    const server = net.createServer((socket) => c.send('take it', socket));
    const clients = [];
    const seen = [];
    c.on('message', (value) => {
      if (value === 'ready') {
        server.listen(0, '127.0.0.1', () => [1, 2].forEach(() => clients.push(net.connect(server.address().port, '127.0.0.1'))));
      } else if (value === 2) {
        server.getConnections((error, count) => {
          seen.push(count);
          server.close(() => {
            seen.push('closed');
            c.disconnect();
          });
          c.send('close');
        });
      }
    });
    c.on('exit', (code) => {
      clients.forEach((client) => client.destroy());
      done([...seen, code]);
    });
  },
  // A child that does what is said to accept connections on the parent's port.
  accept() {
    const c = child('accept');
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      c.send(3, server, () => server.close());
      const seen = [];
      const see = (what) => {
        if (seen.push(what) === 4) done(seen.sort());
      };
      c.on('message', () => [1, 2, 3].forEach(() => net.connect(port, '127.0.0.1').on('data', (data) => see(`${data}`))));
      c.on('close', (code) => see(`code ${code}`));
    });
  },
  // Every message of a child that returns from main at once.
  quit() {
    const c = child('quit');
    let next = 0;
    c.on('message', (value) => (next += value === next ? 1 : NaN));
    c.on('close', (code) => done([next, code]));
  },
  // 50 children that end the channel and exit while the parent does something else: in which order it learns that.
  async busy() {
    const orders = {};
    for (let n = 0; n < 50; n++) {
      const c = child('leave', { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      const order = [];
      for (const event of ['message', 'disconnect', 'exit', 'close']) c.on(event, () => order.push(event));
      const start = performance.now();
      while (performance.now() - start < 20);
      await once(c, 'close');
      orders[order] = (orders[order] ?? 0) + 1;
    }
    done(orders);
  },
  // A child that was started by its parent as `advanced` says why it has no channel.
  advanced() {
    const c = child('none', { serialization: 'advanced', stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    let text = '';
    c.stdout.on('data', (data) => (text += data));
    c.on('close', () => done(text));
  },
  // The channel at another descriptor, and gone from the child's environment.
  elsewhere() {
    const { spawn } = require('node:child_process');
    const c = spawn(program, ['none'], { stdio: ['ipc', 'pipe', 'inherit'] });
    let text = '';
    c.stdout.on('data', (data) => (text += data));
    c.on('close', () => done(text));
  },
};
acts[what]();
