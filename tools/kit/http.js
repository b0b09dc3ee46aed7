'use strict';
// HTTP clients (see src/http.rs). A server's address is as its address() gives it.

const { once } = require('node:events');
const http = require('node:http');
const { text } = require('node:stream/consumers');

// An agent with one connection, which it keeps from request to request.
const keeping = () => new http.Agent({ keepAlive: true, maxSockets: 1 });

// Sends a request and gives the answer whose head has come. Without an agent in the options, it has a connection of its own.
async function begin({ address, port }, path, options) {
  const request = http.get({ host: address, port, path, agent: keeping(), ...options });
  const [answer] = await once(request, 'response');
  if (answer.statusCode !== 200) throw new Error(`the answer to GET ${path} has the status ${answer.statusCode}`);
  return answer;
}

// The whole body.
async function get(server, path = '/', options = {}) {
  const answer = await begin(server, path, options);
  const { socket } = answer;
  const body = await text(answer);
  // Closed by a reset, it is gone at once. Otherwise the kernel keeps a thousand of them for a minute (TIME_WAIT).
  if (!options.agent) socket.resetAndDestroy();
  return body;
}

module.exports = { begin, get, keeping };
