'use strict';
// An ordinary program that uses cluster: it is measured under Node's own primary, and, unchanged, under ours and pm2's.
//
//   NODE_CLUSTER_SCHED_POLICY=none PORT=8000 WORKERS=2 node server.js

const cluster = require('node:cluster');
const http = require('node:http');

if (cluster.isPrimary) {
  for (let forked = 0; forked < Number(process.env.WORKERS || 2); forked += 1) cluster.fork();
  cluster.on('exit', (worker, code, signal) => {
    console.error(`worker ${worker.id} ended: ${signal ?? `code ${code}`}`);
    process.exit(1);
  });
} else {
  const server = http.createServer((request, response) => response.end('hello, node\n'));
  server.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {
    const { address, port } = server.address();
    console.log(`listening on ${address}:${port}`);
  });
}
