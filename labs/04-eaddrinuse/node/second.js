'use strict';
// The second process of lab 04: tries to listen where it is told to, and tells what came of it.

const { own } = require('../../../tools/transcript/transcript.js');
const { listen } = require('./socket.js');

const [host, port, option] = process.argv.slice(2);

async function second() {
  let outcome = 'free';
  const server = await listen({ host, port: Number(port) }, option).catch(({ code }) => (outcome = code));
  own.say(`pid ${process.pid}: listen on ${host} port ${port}, ${option}: ${outcome}`);
  process.send(outcome);
  if (outcome === 'free') server.close();
}

second();
