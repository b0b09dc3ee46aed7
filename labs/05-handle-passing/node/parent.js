'use strict';
// One listening socket, three processes: the parent sends it to two children, and all of them accept.

const { once } = require('node:events');
const net = require('node:net');
const clients = require('../../../tools/kit/clients.js');
const { inode } = require('../../../tools/kit/proc.js');
const roles = require('../../../tools/kit/roles.js');
const t = require('../../../tools/transcript/transcript.js');

const NAMES = ['parent', 'child 1', 'child 2'];
const AT_ONCE = 30;

async function main() {
  const [parent] = t.voices(...NAMES);
  t.step('The parent listens');
  let answered = 0;
  const server = net.createServer((connection) => {
    answered += 1;
    connection.end(parent.voice);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const { fd } = server._handle;
  parent.say(`port ${address.port}: for me it is fd ${fd}, inode ${inode(fd)}`);

  t.step('It sends its server to two children');
  const [numbers, inodes] = [new Set([fd]), new Set([inode(fd)])];
  const children = [];
  // ANCHOR: send
  for (const name of NAMES.slice(1)) {
    const child = roles.fork(name, 'child.js');
    parent.arrow('handle', name, 'server');
    const its = await roles.ask(child, 'accept', server);
    numbers.add(its.fd);
    inodes.add(its.inode);
    children.push(child);
  }
  // ANCHOR_END: send

  t.step('All three accept, and race for each connection');
  const answers = clients.count(await clients.untilAllAnswered(address, NAMES, AT_ONCE));
  const connected = [...answers.values()].reduce((sum, count) => sum + count);
  parent.say(`${AT_ONCE} clients at a time, until all had answered: connected ${connected}`);
  parent.say(`answered ${answered}`);
  let counted = answered;
  for (const child of children) {
    counted += await roles.ask(child, 'how many?');
    await roles.end(child);
  }
  server.close();

  t.fact('who answered', [...answers.keys()].join(', '));
  t.fact('every connection was answered exactly once', t.yes(answers.size === NAMES.length && counted === connected));
  t.fact('one socket inode in all three', t.yes(inodes.size === 1));
  t.fact('one descriptor number in all three', t.yes(numbers.size === 1));
}

main();
