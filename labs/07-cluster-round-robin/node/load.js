'use strict';
// The clients of lab 07.

const clients = require('../../../tools/kit/clients.js');
const { get, keeping } = require('../../../tools/kit/http.js');

// Forty connections, one after the other, with one request each.
async function forty(own, address) {
  const counts = clients.count(await clients.inTurn(address, 40));
  for (const [id, count] of counts) own.say(`worker ${id} answered ${count}`);
  return counts;
}

// Four connections that are kept: 37 requests on the first one, one on each of the others. Gives both counts.
async function kept(own, address) {
  const [connections, requests, open] = [[], [], []];
  // ANCHOR: kept
  for (const count of [37, 1, 1, 1]) {
    const agent = keeping();
    const answers = [];
    while (answers.length < count) answers.push(await get(address, '/', { agent }));
    open.push(agent);
    const by = [...clients.count(answers).keys()];
    own.say(`client ${open.length}: answers by worker ${by.join(', ')}, requests: ${count}`);
    connections.push(...by);
    requests.push(...answers);
  }
  // ANCHOR_END: kept
  for (const agent of open) agent.destroy();
  return { kept: clients.count(connections), requests: clients.count(requests) };
}

module.exports = { forty, kept };
