'use strict';
// One connection, one answer.

const clients = require('../../../tools/kit/clients.js');
const http = require('../../../tools/kit/http.js');

const ask = (server, protocol) => (protocol === 'HTTP' ? http.get(server) : clients.read(server));

// Who answers, or the code of the error.
// ANCHOR: knock
async function knock(server, protocol) {
  try {
    return await ask(server, protocol);
  } catch (error) {
    return error.code;
  }
}
// ANCHOR_END: knock

module.exports = { ask, knock };
