'use strict';
// A parent that sends its listening socket to two children and closes its own: they answer, until the last one closes.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const t = require('../../../tools/transcript/transcript.js');

const [parent, ...voices] = t.voices('parent', 'child 1', 'child 2');
const host = '127.0.0.1';
const CONNECTIONS = 20;

const children = voices.map(({ voice }) =>
  fork(path.join(__dirname, 'child.js'), {
    env: { ...process.env, ...t.seat(voice, 4) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', 1],
  }),
);

async function tell(child, message, handle) {
  child.send(message, handle);
  await once(child, 'message');
}

// Sends the server to both children, closes it here, and counts who answers.
async function handOver(kind, server, ask) {
  await once(server.listen(0, host), 'listening');
  const { port } = server.address();
  parent.say(`listening for ${kind} on port ${port}`);
  // ANCHOR: hand-over
  for (const [i, child] of children.entries()) {
    parent.arrow('handle', voices[i].voice, 'server');
    await tell(child, kind, server);
  }
  server.close();
  parent.say(`closed mine; now ${CONNECTIONS} connections`);
  // ANCHOR_END: hand-over
  const answers = await Promise.all(Array.from({ length: CONNECTIONS }, () => ask(port)));
  const by = ({ voice }) => answers.filter((answer) => answer === voice).length;
  for (const voice of [parent, ...voices]) parent.say(`${voice.voice} answered ${by(voice)}`);
  const byChildren = voices.reduce((sum, voice) => sum + by(voice), 0);
  const facts = {
    [`answered by the parent over ${kind}`]: `${by(parent)} of ${CONNECTIONS}`,
    [`answered by the children over ${kind}`]: `${byChildren} of ${CONNECTIONS}`,
  };
  return { port, facts };
}

const askTcp = (port) => text(net.connect(port, host));

// Without an agent, each request has a connection of its own.
async function askHttp(port) {
  const [response] = await once(http.get({ host, port, agent: false }), 'response');
  return text(response);
}

// Who answers, or the code of the error.
// ANCHOR: knock
async function knock(port) {
  try {
    return await askTcp(port);
  } catch (error) {
    return error.code;
  }
}
// ANCHOR_END: knock

async function main() {
  t.step('Over TCP: the children get the server, the parent closes it');
  const tcp = await handOver('TCP', net.createServer((connection) => connection.end(parent.voice)), askTcp);

  t.step('The same over HTTP');
  const web = http.createServer((request, response) => response.end(parent.voice));
  const overHttp = await handOver('HTTP', web, askHttp);

  t.step('The children close, too');
  await tell(children[0], 'close');
  parent.say(`a connection while one child still listens: ${await knock(tcp.port)} answers`);
  await tell(children[1], 'close');
  const ends = [await knock(tcp.port), await knock(overHttp.port)];
  parent.say(`when the last one has closed: ${ends.join(' and ')}`);

  for (const child of children) {
    child.disconnect();
    await once(child, 'exit');
  }
  const facts = { ...tcp.facts, ...overHttp.facts, 'when the last holder had closed': [...new Set(ends)].join(', ') };
  for (const [name, value] of Object.entries(facts)) t.fact(name, value);
}

main();
