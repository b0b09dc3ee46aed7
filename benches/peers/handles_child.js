'use strict';
// The child of handles.js: closes what it is given. A message says how many are to follow.

process.on('message', (left, socket) => {
  socket.destroy();
  if (left === 0) process.send('done');
});
