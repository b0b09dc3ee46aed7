'use strict';
// fork is spawn with a channel: a socket, one JSON value a line on it, and what that does to the child's life.

const child_process = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { inspect, isDeepStrictEqual } = require('node:util');
const t = require('../../../tools/transcript/transcript.js');

const [parent, child, shell] = t.voices('parent', 'child', 'shell');

// Starts one part of child.js: its channel at descriptor 3, where fork puts it anyway, the transcript at 4.
function fork(part) {
  return child_process.fork(path.join(__dirname, 'child.js'), [part], {
    env: { ...process.env, ...t.seat('child', 4) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', 1],
  });
}

function send(forked, message) {
  parent.arrow('message', 'child', inspect(message));
  forked.send(message);
}

const ending = (code, signal) => (signal ? `signal ${signal}` : `code ${code}`);

async function channel() {
  t.step('The channel: a descriptor at both ends, its number in the environment');
  const forked = fork('introduce');
  const { fd } = forked.channel;
  const own = fs.readlinkSync(`/proc/self/fd/${fd}`);
  const [[introduced]] = await Promise.all([once(forked, 'message'), once(forked, 'close')]);
  parent.say(`my end is fd ${fd}: ${own.replace(/:\[(\d+)\]/, ', inode $1')}`);
  const sockets = [own, introduced.link].every((link) => link.startsWith('socket:'));
  return {
    "the child's NODE_CHANNEL_FD": introduced.fd,
    'the channel is': sockets ? 'a socket' : `${own} and ${introduced.link}`,
  };
}

async function messages() {
  t.step('Messages there and back: what JSON can say, and no more');
  const forked = fork('answer');
  const sent = [{ word: 'hello' }, { list: [1, undefined, NaN], lost: undefined }];
  let answered = 0;
  for (const message of sent) {
    send(forked, message);
    const [{ heard }] = await once(forked, 'message');
    if (isDeepStrictEqual(heard, JSON.parse(JSON.stringify(message)))) answered += 1;
  }
  forked.disconnect();
  // Not 'close': after a disconnect() of our own, Node never emits it.
  await once(forked, 'exit');
  return { 'messages there and back': `${answered} of ${sent.length}` };
}

// ANCHOR: shell
// `read` succeeds only if the line has an end, which it takes off: so the \n is printed because it was there.
const READ_AND_WRITE = String.raw`
  IFS= read -r line <&$NODE_CHANNEL_FD && printf '%s\\n' "$line"
  printf '{"word":"hi"}\n' >&$NODE_CHANNEL_FD`;

async function bytes() {
  t.step('What is on the wire: a shell reads it, and answers by printf');
  const sh = child_process.spawn('sh', ['-c', READ_AND_WRITE], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  parent.arrow('message', 'shell', inspect({ word: 'hello' }));
  sh.send({ word: 'hello' });
  const [printed, [answer]] = await Promise.all([text(sh.stdout), once(sh, 'message'), once(sh, 'close')]);
  shell.say(`read these bytes: ${printed}`);
  shell.arrow('message', 'parent', String.raw`printf '{"word":"hi"}\n'`);
  parent.say(`understood: the word is "${answer.word}"`);
  return {
    'the bytes of a message': printed,
    'a shell that writes such bytes is understood': t.yes(answer.word === 'hi'),
  };
}
// ANCHOR_END: shell

async function life() {
  t.step('Who listens stays, until the channel is disconnected');
  const listening = fork('listen');
  await once(listening, 'message');
  send(listening, 'ping');
  const [word] = await once(listening, 'message');
  parent.say('it is still there; disconnect()');
  listening.disconnect();
  const listened = ending(...(await once(listening, 'exit')));
  child.arrow('exit', 'parent', listened);

  t.step('Who does not listen ends, connected or not');
  const deaf = fork('doNotListen');
  const ended = ending(...(await once(deaf, 'exit')));
  child.arrow('exit', 'parent', ended);
  parent.say('and I had not disconnected');
  return {
    'a child that listens was there after its work': t.yes(word === 'pong'),
    'after disconnect it ended with': listened,
    'a child that does not listen ended with': ended,
  };
}

async function internal() {
  t.step('Messages whose cmd begins with NODE_ are for Node itself');
  const forked = fork('whisper');
  const seen = [];
  forked.on('message', ({ cmd }) => seen.push(cmd));
  await once(forked, 'close');
  parent.say(`on('message') was called for: ${seen.join(', ')}`);
  return { 'of NODE_SECRET and plain the user saw': seen.join(', ') };
}

async function main() {
  const facts = {};
  for (const step of [channel, messages, bytes, life, internal]) Object.assign(facts, await step());
  for (const [name, value] of Object.entries(facts)) t.fact(name, value);
}

main();
