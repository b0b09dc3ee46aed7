'use strict';
// One listening socket, three processes: the parent sends it to two children, and all of them accept.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const t = require('../../../tools/transcript/transcript.js');
const { socketOf } = require('./socket.js');

const [parent, ...voices] = t.voices('parent', 'child 1', 'child 2');

function start({ voice }) {
  return fork(path.join(__dirname, 'child.js'), {
    env: { ...process.env, ...t.seat(voice, 4) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', 1],
  });
}

async function ask(child, message, handle) {
  child.send(message, handle);
  return (await once(child, 'message'))[0];
}

const AT_ONCE = 30;
const LIMIT = 10_000;

// Connects until everybody in `names` has answered. The answers, one for each connection.
async function connectUntilAllAnswered(port, names) {
  const answers = [];
  while (!names.every((name) => answers.includes(name))) {
    if (answers.length >= LIMIT) throw new Error(`only ${[...new Set(answers)]} in ${LIMIT} connections`);
    const connections = Array.from({ length: AT_ONCE }, () => net.connect(port, '127.0.0.1'));
    answers.push(...(await Promise.all(connections.map(text))));
  }
  return answers;
}

async function main() {
  t.step('The parent listens');
  let answered = 0;
  const server = net.createServer((connection) => {
    answered += 1;
    connection.end(parent.voice);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address();
  const own = socketOf(server);
  parent.say(`port ${port}: for me it is fd ${own.fd}, inode ${own.inode}`);

  t.step('It sends its server to two children');
  const children = voices.map(start);
  const inodes = new Set([own.inode]);
  const numbers = new Set([own.fd]);
  // ANCHOR: send
  for (const [i, child] of children.entries()) {
    parent.arrow('handle', voices[i].voice, 'server');
    const { fd, inode } = await ask(child, 'accept', server);
    inodes.add(inode);
    numbers.add(fd);
  }
  // ANCHOR_END: send

  t.step('All three accept, and race for each connection');
  const names = [parent, ...voices].map(({ voice }) => voice).sort();
  const answers = await connectUntilAllAnswered(port, names);
  parent.say(`${AT_ONCE} clients at a time, until all had answered: connected ${answers.length}`);
  parent.say(`answered ${answered}`);
  let told = answered;
  for (const child of children) told += (await ask(child, 'how many?')).answered;
  const onceEach = answers.every((answer) => names.includes(answer)) && told === answers.length;

  server.close();
  for (const child of children) {
    child.disconnect();
    await once(child, 'exit');
  }
  t.fact('who answered', [...new Set(answers)].sort().join(', '));
  t.fact('every connection was answered exactly once', t.yes(onceEach));
  t.fact('one socket inode in all three', t.yes(inodes.size === 1));
  t.fact('one descriptor number in all three', t.yes(numbers.size === 1));
}

main();
