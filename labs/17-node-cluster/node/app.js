'use strict';
// An ordinary program that uses cluster. It knows nothing of a lab, nor who its primary is.
//
//   PORT=8000 WORKERS=2 node app.js

const cluster = require('node:cluster');
const http = require('node:http');

// ANCHOR: app
function primary() {
  cluster.on('listening', (worker, { address, port }) => {
    console.log(`worker ${worker.id}, pid ${worker.process.pid}, serves http://${address}:${port}/`);
  });
  cluster.on('exit', (worker, code, signal) => {
    console.log(`worker ${worker.id} ended: ${signal ?? `code ${code}`}`);
    if (signal) cluster.fork();
  });
  for (let forked = 0; forked < Number(process.env.WORKERS || 4); forked += 1) cluster.fork();
}

const parent = process.ppid;

// Never gives the loop its turn again, so it cannot see that the channel ends: it stops when its parent is another.
function spin() {
  while (process.ppid === parent);
}

function worker() {
  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    const name = `${process.pid}\n`;
    if (pathname === '/slow') setTimeout(() => response.end(name), Number(searchParams.get('ms')));
    // Who asks learns who it is that begins to spin, and gets no more than that.
    else if (pathname === '/spin') response.write(name, spin);
    else response.end(name);
  });
  server.listen(Number(process.env.PORT || 0), '127.0.0.1');
}

if (cluster.isPrimary) primary();
else worker();
// ANCHOR_END: app
