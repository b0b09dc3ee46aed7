'use strict';
// HTTP clients (see src/http.rs). A server's address is as its address() gives it.

const { once } = require('node:events');
const http = require('node:http');
const { text } = require('node:stream/consumers');

// Sends a request and gives the answer whose head has come. Without an agent, it has a connection of its own, which its answer ends.
async function begin({ address, port }, path, options) {
  const request = http.get({ host: address, port, path, agent: false, ...options });
  const [answer] = await once(request, 'response');
  if (answer.statusCode !== 200) throw new Error(`the answer to GET ${path} has the status ${answer.statusCode}`);
  return answer;
}

// The whole body.
async function get(server, path = '/', options = {}) {
  return text(await begin(server, path, options));
}

// An agent with one connection, which it keeps from request to request.
const keeping = () => new http.Agent({ keepAlive: true, maxSockets: 1 });

module.exports = { begin, get, keeping };
