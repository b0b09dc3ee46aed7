'use strict';
// A child that knows nothing of us but the convention.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { text } = require('node:stream/consumers');
const { inspect } = require('node:util');
const t = require('../../../tools/transcript/transcript.js');

const [parent, , sh] = t.voices('parent', 'child', 'shell');

// ANCHOR: shell
// `read` succeeds only if the line has an end, which it takes off: so the \n is printed because it was there.
const READ_AND_WRITE = String.raw`
  IFS= read -r line <&$NODE_CHANNEL_FD && printf '%s\\n' "$line"
  printf '{"word":"hi"}\n' >&$NODE_CHANNEL_FD`;

// Gives what the shell read, and the word that it sent.
async function shell() {
  const child = spawn('sh', ['-c', READ_AND_WRITE], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  parent.arrow('message', 'shell', inspect({ word: 'hello' }));
  child.send({ word: 'hello' });
  const [printed, [{ word }]] = await Promise.all([text(child.stdout), once(child, 'message'), once(child, 'close')]);
  sh.say(`read these bytes: ${printed}`);
  sh.arrow('message', 'parent', String.raw`printf '{"word":"hi"}\n'`);
  parent.say(`understood: the word is "${word}"`);
  return { printed, word };
}
// ANCHOR_END: shell

module.exports = { shell };
