'use strict';
// The parent's half of the conversation that is written down in child.js: with a child in Node, and with one in Python.
//
// LAB_CHILD names a program to hold it with instead, which is started as `$LAB_CHILD child.js`. What came of it is then
// sent to our own parent, if there is a channel to one: {"said": true, "asked": true, "socketTaken": true, …}.

const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { connect } = require('../../../tools/kit/clients.js');
const t = require('../../../tools/transcript/transcript.js');
const { Peer } = require('./peer.js');

const program = process.env.LAB_CHILD;
const [own, child, python] = t.voices('parent', program ? 'child' : 'node', 'python');
const parent = t.own ?? own;

async function listen() {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function say(peer) {
  peer.tell({ say: 'hello' });
  return (await peer.hear()).heard === 'hello';
}

async function ask(peer) {
  peer.tell({ ask: 'are you there?' });
  peer.tell({ heard: (await peer.hear()).say, by: 'node' });
  return (await peer.hear()).understood;
}

// Reads what the peer wrote, from the other end.
async function written(connection, expected) {
  const bytes = await text(connection);
  parent.say(`the other end reads ${JSON.stringify(bytes)}`);
  return bytes === expected;
}

async function takeSocket(peer, expected) {
  const server = await listen();
  const kept = connect(server.address());
  const [given] = await once(server, 'connection');
  server.close();
  peer.tell({ take: 'socket' }, given);
  return written(kept, expected);
}

async function takeServer(peer) {
  const server = await listen();
  const address = server.address();
  peer.tell({ take: 'server' }, server);
  const { serving } = await peer.hear();
  server.close(); // the peer alone accepts now
  return serving && written(connect(address), 'served by child\n');
}

async function giveSocket(peer) {
  peer.tell({ give: 'socket' });
  (await peer.hear()).handle.end('from parent\n');
  return (await peer.hear()).read === 'from parent\n';
}

async function giveServer(peer) {
  peer.tell({ give: 'server' });
  const { handle: server } = await peer.hear();
  server.once('connection', (connection) => connection.end('served by parent\n'));
  peer.tell({ serving: true });
  const { read } = await peer.hear();
  server.close();
  return read === 'served by parent\n';
}

async function converse(peer, step) {
  step('Messages, first from the parent, then from the child');
  const said = await say(peer);
  const asked = await ask(peer);
  step('A socket and a server for the child');
  const socketTaken = await takeSocket(peer, 'from child\n');
  const serverTaken = await takeServer(peer);
  step('A socket and a server from the child');
  const socketGiven = await giveSocket(peer);
  const serverGiven = await giveServer(peer);
  peer.tell({ bye: true });
  await once(peer.process, 'exit');
  return { said, asked, socketTaken, serverTaken, socketGiven, serverGiven };
}

async function withPython() {
  t.step('A child in Python: some twenty lines that follow the convention');
  const peer = new Peer(parent, python, path.join(__dirname, '../python/child.py'), 'python3');
  const said = await say(peer);
  const socketTaken = await takeSocket(peer, 'from python\n');
  peer.process.disconnect();
  await once(peer.process, 'exit');
  return { said, socketTaken };
}

async function main() {
  const peer = new Peer(parent, child, path.join(__dirname, 'child.js'), program);
  const results = await converse(peer, program ? () => {} : t.step);
  if (program) {
    process.send?.(results);
    return;
  }
  const byPython = await withPython();
  const bothWays = t.yes(results.said && results.asked);
  t.fact('messages both ways with a node parent', bothWays);
  t.fact('messages both ways with a node child', bothWays);
  t.fact('messages both ways with a python child', t.yes(byPython.said));
  t.fact('a socket passed to the child was used', t.yes(results.socketTaken));
  t.fact('a socket passed to the parent was used', t.yes(results.socketGiven));
  t.fact('a server passed to the child was used', t.yes(results.serverTaken));
  t.fact('a server passed to the parent was used', t.yes(results.serverGiven));
  t.fact('a socket passed to python was used', t.yes(byPython.socketTaken));
}

main();
