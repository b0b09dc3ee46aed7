'use strict';
// Every kind of handle, sent to a child and used by it; and what cannot be sent.

const { fork } = require('node:child_process');
const dgram = require('node:dgram');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const t = require('../../../tools/transcript/transcript.js');
const { inFolder } = require('../../../tools/transcript/folder.js');

const [parent] = t.voices('parent', 'child');
const host = '127.0.0.1';

const child = fork(path.join(__dirname, 'child.js'), {
  env: { ...process.env, ...t.seat('child', 4) },
  stdio: ['ignore', 'ignore', 'inherit', 'ipc', 1],
});

// ANCHOR: send
function send(kind, handle, name) {
  parent.arrow('handle', 'child', name);
  child.send(kind, handle);
}
// ANCHOR_END: send

function verdict(bytes) {
  parent.say(`the other end reads "${bytes}"`);
  return bytes === `written by pid ${child.pid}` ? 'used by its receiver' : `says "${bytes}"`;
}

// The address of a Unix server is its path.
function connect(server) {
  const address = server.address();
  return typeof address === 'string' ? net.connect(address) : net.connect(address.port, address.address);
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
  await once(child, 'message');
  const client = connect(server);
  server.close();
  return verdict(await text(client));
}
// ANCHOR_END: tcp

// One end for the child, the other one for us.
async function useSocket(server, name) {
  const client = connect(server);
  const [accepted] = await once(server, 'connection');
  send('socket', accepted, name);
  server.close();
  return verdict(await text(client));
}

async function tcp() {
  t.step('TCP: one that listens, one that is connected');
  const server = await listen({ host, port: 0 });
  const asServer = await useServer('server', server, server, 'net.Server on TCP');
  const asSocket = await useSocket(await listen({ host, port: 0 }), 'net.Socket on TCP');
  return { 'a TCP server': asServer, 'a TCP socket': asSocket };
}

async function udp() {
  t.step('UDP');
  const [socket, peer] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')];
  await once(socket.bind(0, host), 'listening');
  const { port } = socket.address();
  send('datagrams', socket, 'dgram.Socket');
  await once(child, 'message');
  socket.close();
  peer.send('hello', port, host);
  const [bytes] = await once(peer, 'message');
  peer.close();
  return { 'a UDP socket': verdict(bytes.toString()) };
}

async function unix() {
  t.step('Unix sockets, the same two');
  return inFolder(async (folder) => {
    const server = await listen(path.join(folder, 'server'));
    const asServer = await useServer('server', server, server, 'net.Server on a Unix path');
    const asSocket = await useSocket(await listen(path.join(folder, 'socket')), 'net.Socket on a Unix path');
    return { 'a Unix server': asServer, 'a Unix socket': asSocket };
  });
}

async function native() {
  t.step("The native form: what is inside Node's objects");
  const server = await listen({ host, port: 0 });
  const value = await useServer('native', server, server._handle, "a net.Server's _handle");
  return { 'a native TCP handle': value };
}

// ANCHOR: refused
async function refused() {
  t.step('What is no socket');
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
  return { 'a regular file': sent === 'ERR_INVALID_HANDLE_TYPE' ? 'refused' : sent };
}
// ANCHOR_END: refused

async function main() {
  const facts = {};
  for (const step of [tcp, udp, unix, native, refused]) Object.assign(facts, await step());
  child.disconnect();
  await once(child, 'exit');
  for (const [name, value] of Object.entries(facts)) t.fact(name, value);
}

main();
