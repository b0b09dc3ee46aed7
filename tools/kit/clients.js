'use strict';
// Clients by the dozen, and who answered them (see src/clients.rs).

const net = require('node:net');
const { text } = require('node:stream/consumers');
const { get } = require('./http.js');

const LIMIT = 30_000;

// Counts the answers by what they say, in the order of that.
function count(answers) {
  const counts = new Map([...answers].sort().map((answer) => [answer, 0]));
  for (const answer of answers) counts.set(answer, counts.get(answer) + 1);
  return counts;
}

const shares = (counts) => [...counts.values()].join(' ');

// Asks a server over HTTP, one time after the other and each time on a new connection.
async function inTurn(server, connections) {
  const answers = [];
  while (answers.length < connections) answers.push(await get(server));
  return answers;
}

// Connects to a server and reads to the end what it writes. The address of a Unix server is its path.
const connect = (server) => (typeof server === 'string' ? net.connect(server) : net.connect(server.port, server.address));
const read = (server) => text(connect(server));

// Connects with so many clients at a time until each of `names` has answered.
async function untilAllAnswered(server, names, atOnce) {
  const answers = [];
  for (;;) {
    const missing = names.find((name) => !answers.includes(name));
    if (!missing) return answers;
    if (answers.length >= LIMIT) throw new Error(`${missing} answered none of ${LIMIT} connections`);
    answers.push(...(await Promise.all(Array.from({ length: atOnce }, () => read(server)))));
  }
}

module.exports = { count, shares, inTurn, connect, read, untilAllAnswered };
