'use strict';
// A child that says that it is there, and sends back what it is told.

process.on('message', (message) => process.send(message));
process.send('here');
