'use strict';
// Every kind of handle, sent to a child and used by it; and what cannot be sent.

const dgram = require('node:dgram');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { connect } = require('../../../tools/kit/clients.js');
const roles = require('../../../tools/kit/roles.js');
const { inFolder } = require('../../../tools/transcript/folder.js');
const t = require('../../../tools/transcript/transcript.js');

const [parent] = t.voices('parent', 'child');
const LOCAL = { host: '127.0.0.1', port: 0 };

const child = roles.fork('child', 'child.js');

// ANCHOR: send
function send(kind, handle, name) {
  parent.arrow('handle', 'child', name);
  child.send(kind, handle);
}
// ANCHOR_END: send

// Only the child can have written its pid.
function verdict(bytes) {
  parent.say(`the other end reads "${bytes}"`);
  return bytes === `written by pid ${child.pid}` ? 'used by its receiver' : `says "${bytes}"`;
}

async function listen(options) {
  const server = net.createServer({ pauseOnConnect: true }).listen(options);
  await once(server, 'listening');
  return server;
}

// ANCHOR: tcp
// The child has the server, so this process must not be the one that accepts. To close ours takes away a Unix path,
// hence first the connect, which for a Unix socket is done when it returns.
async function useServer(kind, server, handle, name) {
  send(kind, handle, name);
  await roles.answer(child);
  const client = connect(server.address());
  server.close();
  return verdict(await text(client));
}
// ANCHOR_END: tcp

// One end for the child, the other one for us.
async function useSocket(server, name) {
  const client = connect(server.address());
  const [accepted] = await once(server, 'connection');
  send('socket', accepted, name);
  server.close();
  return verdict(await text(client));
}

async function useDatagrams(name) {
  const [socket, peer] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')];
  await once(socket.bind(LOCAL.port, LOCAL.host), 'listening');
  const { port, address } = socket.address();
  send('datagrams', socket, name);
  await roles.answer(child);
  socket.close();
  peer.send('hello', port, address);
  const [bytes] = await once(peer, 'message');
  peer.close();
  return verdict(bytes.toString());
}

// ANCHOR: refused
async function refused() {
  const file = await fs.promises.open(__filename);
  const codeOf = (attempt) => {
    try {
      attempt();
      return 'accepted';
    } catch (error) {
      return error.code;
    }
  };
  const sent = codeOf(() => child.send('file', file));
  parent.say(`send(…, a FileHandle): ${sent}`);
  parent.say(`new net.Socket({ fd: a file's }): ${codeOf(() => new net.Socket({ fd: file.fd }))}`);
  await file.close();
  return sent === 'ERR_INVALID_HANDLE_TYPE' ? 'refused' : sent;
}
// ANCHOR_END: refused

async function main() {
  t.step('TCP: one that listens, one that is connected');
  const server = await listen(LOCAL);
  const tcpServer = await useServer('server', server, server, 'net.Server on TCP');
  const tcpSocket = await useSocket(await listen(LOCAL), 'net.Socket on TCP');

  t.step('UDP');
  const udpSocket = await useDatagrams('dgram.Socket');

  t.step('Unix sockets, the same two');
  const [unixServer, pathStays, unixSocket] = await inFolder(async (folder) => {
    const [first, second] = [await listen(path.join(folder, 'server')), await listen(path.join(folder, 'socket'))];
    const usedServer = await useServer('server', first, first, 'net.Server on a Unix path');
    const stays = fs.existsSync(path.join(folder, 'server'));
    return [usedServer, stays, await useSocket(second, 'net.Socket on a Unix path')];
  });

  t.step("The native form: what is inside Node's objects");
  const outer = await listen(LOCAL);
  const native = await useServer('native', outer, outer._handle, "a net.Server's _handle");

  t.step('What is not a socket');
  const file = await refused();
  await roles.end(child);

  t.fact('a TCP server', tcpServer);
  t.fact('a TCP socket', tcpSocket);
  t.fact('a UDP socket', udpSocket);
  t.fact('a Unix server', unixServer);
  t.fact('the Unix path, after the sender closed its server', pathStays ? 'still there' : 'removed');
  t.fact('a Unix socket', unixSocket);
  t.fact('a native TCP handle', native);
  t.fact('a regular file', file);
}

main();
