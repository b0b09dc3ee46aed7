'use strict';
// The child of channel.js.

let order = null;
let left = 0;

process.on('message', (message) => {
  if (left === 0) {
    order = message;
    left = order.count;
    return process.send('ready');
  }
  left--;
  if (order.round_trip) process.send(message);
  else if (left === 0) process.send('done');
});
