'use strict';
// A forked child, told and heard in the transcript. It says nothing there itself: it may be any program.

const { fork } = require('node:child_process');
const { once } = require('node:events');

class Peer {
  // ANCHOR: peer
  // `execPath` is run with `file` as its argument; without it, this very node.
  constructor(parent, voice, file, execPath) {
    const { FORKLORE_TRANSCRIPT, ...env } = process.env; // our own seat, if we have one, is not for others
    this.parent = parent;
    this.voice = voice;
    this.process = fork(file, { env, execPath, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.gone = new AbortController();
    this.process.once('exit', (code, signal) => {
      this.gone.abort(new Error(`${voice.voice} ended in the middle: ${signal ?? `code ${code}`}`));
    });
  }
  // ANCHOR_END: peer

  // ANCHOR: hand
  tell(message, handle) {
    this.parent.arrow(handle ? 'handle' : 'message', this.voice.voice, JSON.stringify(message));
    this.process.send(message, handle);
  }
  // ANCHOR_END: hand

  // Its next message, and the handle that came with it. If it ends instead, that is an error.
  async hear() {
    const [message, handle] = await once(this.process, 'message', { signal: this.gone.signal });
    this.voice.arrow(handle ? 'handle' : 'message', this.parent.voice, JSON.stringify(message));
    return { ...message, handle };
  }
}

module.exports = { Peer };
