'use strict';
// fork is spawn with a channel: a socket, one JSON value a line on it, and what that does to the child's life.

const { once } = require('node:events');
const { inspect, isDeepStrictEqual } = require('node:util');
const proc = require('../../../tools/kit/proc.js');
const roles = require('../../../tools/kit/roles.js');
const t = require('../../../tools/transcript/transcript.js');
const { shell } = require('./shell.js');

const [parent, child] = t.voices('parent', 'child', 'shell');
const fork = (part) => roles.fork('child', 'child.js', [part]);

function ask(forked, message) {
  parent.arrow('message', 'child', inspect(message));
  return roles.ask(forked, message);
}

async function main() {
  t.step('The channel: a descriptor at both ends, its number in the environment');
  const introduced = fork('introduce');
  const { fd } = introduced.channel;
  const own = proc.descriptor(fd);
  const [[number, theirs]] = await Promise.all([roles.answer(introduced), once(introduced, 'close')]);
  parent.say(`my end is fd ${fd}: ${own}`);
  const sockets = [own, theirs].every((end) => end.startsWith('socket, '));

  t.step('Messages there and back: what JSON can say, and no more');
  const answering = fork('answer');
  const sent = [{ word: 'hello' }, { list: [1, undefined, NaN], lost: undefined }];
  let answered = 0;
  for (const message of sent) {
    const { heard } = await ask(answering, message);
    if (isDeepStrictEqual(heard, JSON.parse(JSON.stringify(message)))) answered += 1;
  }
  answering.disconnect();
  // Not 'close': after a disconnect() of our own, Node never emits it.
  await roles.exit(answering);

  t.step('What is on the wire: a shell reads it, and answers by printf');
  const { printed, word } = await shell();

  t.step('Who listens stays, until the channel is disconnected');
  const listening = fork('listen');
  await roles.answer(listening);
  const pong = await ask(listening, 'ping');
  parent.say('it is still there; disconnect()');
  listening.disconnect();
  const listened = await roles.exit(listening);
  child.arrow('exit', 'parent', listened);

  t.step('Who does not listen ends, connected or not');
  const idle = await roles.exit(fork('idle'));
  child.arrow('exit', 'parent', idle);
  parent.say('and I had not disconnected');

  t.step('Messages whose cmd begins with NODE_ are for Node itself');
  const whispering = fork('whisper');
  const seen = [];
  whispering.on('message', ({ cmd }) => seen.push(cmd));
  await once(whispering, 'close');
  parent.say(`on('message') was called for: ${seen.join(', ')}`);

  t.fact("the child's NODE_CHANNEL_FD", number);
  t.fact('the channel is', sockets ? 'a socket' : 'something else');
  t.fact('messages there and back', `${answered} of ${sent.length}`);
  t.fact('the bytes of a message', printed);
  t.fact('a shell that writes such bytes is understood', t.yes(word === 'hi'));
  t.fact('a child that listens was there after its work', t.yes(pong === 'pong'));
  t.fact('after disconnect it ended with', listened);
  t.fact('a child that does not listen ended with', idle);
  t.fact('of NODE_SECRET and plain the user saw', seen.join(', '));
}

main();
