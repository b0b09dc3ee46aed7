'use strict';
// The second process of lab 04: tries to listen where it is told to, and looks for who is in its way.

const { own } = require('../../../tools/transcript/transcript.js');
const { attempt, inodeOf, holderOf } = require('./listen.js');

const parts = {
  async listen(options) {
    const outcome = await attempt(options);
    own.say(`listen on ${options.host}, port ${options.port}: ${outcome}`);
    return outcome;
  },

  look({ port }) {
    const inode = inodeOf(port);
    own.say(`/proc/net/tcp: at port ${port} listens the socket with inode ${inode}`);
    const { pid, fd } = holderOf(inode);
    own.say(`/proc/*/fd: pid ${pid} has that socket, as its fd ${fd}`);
    return pid;
  },
};

process.on('message', async ({ part, ...options }) => process.send(await parts[part](options)));
