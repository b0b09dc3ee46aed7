'use strict';
// A worker of lab 10: answers with its id; the first one is slow where it is asked to be.

const cluster = require('node:cluster');
const http = require('node:http');

const { id } = cluster.worker;
// The slowness itself: no fact depends on how long it is.
const SLOWER_MS = 20;

// ANCHOR: serve
const server = http.createServer(({ url }, response) => {
  const answer = () => response.end(String(id));
  if (url === '/one-slow' && id === 1) setTimeout(answer, SLOWER_MS);
  else answer();
});
// ANCHOR_END: serve

server.listen(0, '127.0.0.1');
