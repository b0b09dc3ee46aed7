// A Node primary of workers that are no Node programs: `node primary.js PROGRAM WHAT [PATH | PORT]`. Prints one line of JSON: what it has seen.
// The policy is the one of NODE_CLUSTER_SCHED_POLICY.
'use strict';
const cluster = require('node:cluster');
const dgram = require('node:dgram');
const { once } = require('node:events'); // an error ends the wait
const net = require('node:net');

const [program, what, path] = process.argv.slice(2);
const node = process.execPath;
const done = (value) => console.log(JSON.stringify(value));

// A worker that does `behaviour` on these addresses.
function fork(behaviour, ...addresses) {
  process.execPath = program;
  cluster.setupPrimary({ exec: behaviour, args: addresses, execArgv: [] });
  return cluster.fork();
}

// The same, when it listens: the worker and its address.
async function listening(behaviour, ...addresses) {
  const worker = fork(behaviour, ...addresses);
  const [address] = await once(worker, 'listening');
  return [worker, address];
}

// What a server says until it closes the connection.
function said(to) {
  return new Promise((resolve, reject) => {
    let text = '';
    net.connect(to).on('data', (data) => (text += data)).on('end', () => resolve(text.trim())).on('error', reject);
  });
}

// A connection, and the first line that the server has sent.
async function open(to) {
  const socket = net.connect(to);
  const [line] = await once(socket, 'data');
  return [socket, `${line}`.trim()];
}

// What a worker answers to a message.
async function ask(worker, message) {
  worker.send(message);
  return (await once(worker, 'message'))[0];
}

// How a worker ended: code, signal, whether it had been asked to.
async function end(worker) {
  const [code, signal] = await once(worker, 'exit');
  return [code, signal, worker.exitedAfterDisconnect];
}

// How many of the texts there are of each kind.
function tally(texts) {
  const counts = {};
  texts.forEach((text) => (counts[text] = (counts[text] ?? 0) + 1));
  return counts;
}

const acts = {
  // The events of two workers on one port, which the kernel chose, until both were told to leave.
  async events() {
    const seen = [];
    const note = (event) => (worker, ...values) => seen.push([event, worker.id, ...values]);
    for (const event of ['online', 'disconnect', 'exit']) cluster.on(event, note(event));
    const [one, first] = await listening('answer', '127.0.0.1:0');
    const [other, second] = await listening('answer', '127.0.0.1:0');
    const same = first.port === second.port && first.port > 0;
    const { port, ...rest } = first;
    const states = [one.state, one.isConnected(), one.isDead()];
    for (const worker of [one, other]) {
      worker.disconnect();
      await end(worker);
    }
    done({ seen, same, rest, states, asked: [one.exitedAfterDisconnect, other.exitedAfterDisconnect] });
  },
  // 400 connections, one after the other, to four workers.
  async split() {
    const workers = [];
    for (let n = 0; n < 4; n++) workers.push(await listening('answer', '127.0.0.1:0'));
    const [, { port }] = workers[0];
    const texts = [];
    for (let n = 0; n < 400; n++) texts.push(await said({ port, host: '127.0.0.1' }));
    cluster.disconnect(() => done(tally(texts)));
  },
  // 1,000 connections, ten at a time, and as many descriptors in the workers as before.
  async thousand() {
    const workers = [];
    for (let n = 0; n < 2; n++) workers.push(await listening('echo', '127.0.0.1:0'));
    const [, { port }] = workers[0];
    const descriptors = () => Promise.all(workers.map(([worker]) => ask(worker, 'descriptors')));
    const before = await descriptors();
    let answered = 0;
    for (let n = 0; n < 100; n++) {
      const sockets = await Promise.all(Array.from({ length: 10 }, () => open({ port, host: '127.0.0.1' })));
      answered += sockets.filter(([, line]) => line === '1' || line === '2').length;
      await Promise.all(sockets.map(([socket]) => (socket.end(), once(socket, 'close'))));
    }
    const after = await descriptors();
    cluster.disconnect(() => done([answered, after.map((count, n) => count - before[n])]));
  },
  // A worker that is told to leave serves the connection that is open, and takes no new one.
  async drain() {
    const [worker, { port }] = await listening('echo', '127.0.0.1:0');
    const [socket] = await open({ port, host: '127.0.0.1' });
    let disconnected = false;
    worker.on('disconnect', () => (disconnected = true));
    worker.disconnect();
    // Until the worker has closed its server there may be some that it takes.
    let refused;
    while (refused !== 'ECONNREFUSED') {
      refused = await open({ port, host: '127.0.0.1' }).then(([more]) => more.destroy() && null, (error) => error.code);
    }
    socket.write('still there?');
    const [echo] = await once(socket, 'data');
    const early = disconnected;
    socket.end();
    const ended = await end(worker);
    done([`${echo}`, early, disconnected, ended]);
  },
  // Workers that are told by a message how to end; the last by the kernel.
  async endings() {
    const endings = {};
    for (const message of ['leave', 'kill', 'disconnect', 'fail']) {
      const [worker] = await listening('echo', '127.0.0.1:0');
      worker.send(message);
      endings[message] = await end(worker);
    }
    const [cut] = await listening('echo', '127.0.0.1:0');
    cut.process.disconnect();
    endings.cut = await end(cut);
    const [killed] = await listening('echo', '127.0.0.1:0');
    killed.kill('SIGKILL');
    endings.killed = await end(killed);
    done(endings);
  },
  // A worker that wants to leave waits for its connection.
  async leave() {
    const [worker, { port }] = await listening('echo', '127.0.0.1:0');
    const [socket] = await open({ port, host: '127.0.0.1' });
    worker.send('leave');
    socket.write('still there?');
    const [echo] = await once(socket, 'data');
    const early = worker.exitedAfterDisconnect;
    socket.end();
    done([`${echo}`, early ?? null, await end(worker)]);
  },
  // A worker that may have one connection gives the others back.
  async limited() {
    const [limited, { port }] = await listening('limited', '127.0.0.1:0');
    const [first] = await open({ port, host: '127.0.0.1' });
    await listening('answer', '127.0.0.1:0');
    const texts = [];
    for (let n = 0; n < 20; n++) texts.push(await said({ port, host: '127.0.0.1' }));
    first.end();
    await once(first, 'close');
    limited.disconnect();
    const ended = await end(limited);
    cluster.disconnect(() => done([tally(texts), ended]));
  },
  // A worker that accepts nothing holds one connection back, and returns it when it closes its server.
  async stuck() {
    const [stuck, { port }] = await listening('stuck', '127.0.0.1:0');
    const waiting = said({ port, host: '127.0.0.1' });
    await listening('answer', '127.0.0.1:0');
    const texts = [];
    for (let n = 0; n < 20; n++) texts.push(await said({ port, host: '127.0.0.1' }));
    const closed = await ask(stuck, 'close');
    const returned = await waiting;
    cluster.disconnect(() => done([tally(texts), closed, returned]));
  },
  // A Unix socket.
  async unix() {
    const [, address] = await listening('answer', path);
    await listening('answer', path);
    const texts = [await said({ path }), await said({ path })];
    cluster.disconnect(() => done([address, texts.sort()]));
  },
  // One UDP socket for two workers: each datagram is answered by one of them.
  async udp() {
    const [, address] = await listening('udp', '127.0.0.1:0');
    await listening('udp', '127.0.0.1:0');
    const client = dgram.createSocket('udp4');
    const texts = [];
    for (let n = 0; n < 50; n++) {
      client.send(`${n}`, address.port, '127.0.0.1');
      const [text] = await once(client, 'message');
      texts.push(`${text}`.split(' ')[1] === `${n}`);
    }
    client.close();
    cluster.disconnect(() => done([address.addressType, address.port > 0, tally(texts)]));
  },
  // A port that is taken.
  async taken() {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const worker = fork('echo', `127.0.0.1:${port}`);
    const [error] = await once(worker, 'message');
    const echo = await ask(worker, 'are you there?');
    server.close();
    worker.disconnect();
    done([error.replace(port, 'PORT'), echo, await end(worker)]);
  },
  // Two servers on one address, one on another, one that the primary does not know.
  async several() {
    const worker = fork('answer', '127.0.0.1:0', '127.0.0.1:0', '*:0', 'exclusive,127.0.0.1:0');
    const addresses = [];
    const own = once(worker, 'message');
    while (addresses.length < 3) addresses.push((await once(worker, 'listening'))[0]);
    addresses.push({ address: 'own', port: (await own)[0] });
    const texts = [];
    for (const { port } of addresses) texts.push(await said({ port, host: '127.0.0.1' }));
    worker.disconnect();
    const ports = new Set(addresses.map(({ port }) => port)).size;
    done([addresses.map(({ address }) => address), ports, texts, await end(worker)]);
  },
  // A name, which is asked for in the worker.
  async named() {
    const [worker, { address, port }] = await listening('answer', 'localhost:0');
    const text = await said({ port, host: address });
    worker.disconnect();
    done([net.isIP(address) > 0, text, await end(worker)]);
  },
  // A socket that the primary was started with, at descriptor 5.
  async fd() {
    const [worker, address] = await listening('answer', 'fd:5');
    const text = await said({ port: Number(path), host: '127.0.0.1' });
    worker.disconnect();
    done([address.fd, text, await end(worker)]);
  },
  // A worker of Node's beside one of ours, on one port.
  async mixed() {
    const [, { port }] = await listening('answer', '127.0.0.1:0');
    process.execPath = node;
    cluster.setupPrimary({ exec: __filename, args: [] });
    await once(cluster.fork(), 'listening');
    const texts = [];
    for (let n = 0; n < 20; n++) texts.push(await said({ port, host: '127.0.0.1' }));
    cluster.disconnect(() => done(tally(texts)));
  },
  // 50 times two workers, and a primary that does something else while they leave and exit: in which order it learns that.
  async busy() {
    const orders = [];
    let calls = 0;
    for (let n = 0; n < 50; n++) {
      const workers = [await listening('answer', '127.0.0.1:0'), await listening('answer', '127.0.0.1:0')];
      const ends = workers.map(async ([worker]) => {
        const order = [];
        for (const event of ['disconnect', 'exit']) worker.on(event, () => order.push(event));
        await once(worker, 'exit');
        orders.push(order.join(' '));
      });
      const called = new Promise((resolve) => cluster.disconnect(resolve)).then(() => calls++);
      const start = performance.now();
      while (performance.now() - start < 20);
      await Promise.all([called, ...ends]);
    }
    done([calls, tally(orders)]);
  },
  // Says when two workers listen, and waits to be killed.
  async doomed() {
    await listening('echo', '127.0.0.1:0');
    await listening('hold', '127.0.0.1:0');
    done('both listen');
  },
  // A worker that goes on without its primary.
  async survivor() {
    const [worker] = await listening('survivor');
    worker.process.disconnect();
    done(await end(worker));
  },
};

if (cluster.isPrimary) acts[what]();
else net.createServer((socket) => socket.end('node\n')).listen(0, '127.0.0.1');
