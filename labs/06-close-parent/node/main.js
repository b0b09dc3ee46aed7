'use strict';
// A parent that sends its listening socket to two children and closes its own: they answer, until the last one closes.

const { once } = require('node:events');
const net = require('node:net');
const roles = require('../../../tools/kit/roles.js');
const t = require('../../../tools/transcript/transcript.js');
const { ask, knock } = require('./client.js');
const serve = require('./serve.js');

const names = ['parent', 'child 1', 'child 2'];
const [parent] = t.voices(...names);
const CONNECTIONS = 20;

// Sends a server to both children, closes it here, and counts who answers.
async function handOver(children, protocol) {
  const server = net.createServer();
  serve[protocol](server, parent.voice);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  parent.say(`listening for ${protocol} on port ${address.port}`);
  // ANCHOR: hand-over
  for (const [i, child] of children.entries()) {
    parent.arrow('handle', names[i + 1], 'server');
    await roles.ask(child, protocol, server);
  }
  server.close();
  parent.say(`closed mine; now ${CONNECTIONS} connections`);
  // ANCHOR_END: hand-over

  const answers = [];
  while (answers.length < CONNECTIONS) answers.push(await ask(address, protocol));
  const counts = names.map((name) => answers.filter((answer) => answer === name).length);
  for (const [i, name] of names.entries()) parent.say(`${name} answered ${counts[i]}`);
  return { address, counts };
}

async function main() {
  t.step('Over TCP: the children get the server, the parent closes it');
  const children = names.slice(1).map((name) => roles.fork(name, 'child.js'));
  const tcp = await handOver(children, 'TCP');

  t.step('The same over HTTP');
  const overHttp = await handOver(children, 'HTTP');

  t.step('The children close, too');
  await roles.ask(children[0], 'close');
  parent.say(`a connection while one child still listens: ${await knock(tcp.address, 'TCP')} answers`);
  await roles.ask(children[1], 'close');
  const ends = [await knock(tcp.address, 'TCP'), await knock(overHttp.address, 'HTTP')];
  parent.say(`when the last one has closed: ${ends.join(' and ')}`);

  for (const child of children) await roles.end(child);
  for (const [protocol, [byParent, first, second]] of [['TCP', tcp.counts], ['HTTP', overHttp.counts]]) {
    t.fact(`answered by the parent over ${protocol}`, `${byParent} of ${CONNECTIONS}`);
    t.fact(`answered by the children over ${protocol}`, `${first + second} of ${CONNECTIONS}`);
  }
  t.fact('when the last holder had closed', [...new Set(ends)].join(', '));
}

main();
