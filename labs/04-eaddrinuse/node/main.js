'use strict';
// One port, two processes: the second cannot listen. What helps, what does not, and how soon random ports collide.

const proc = require('../../../tools/kit/proc.js');
const roles = require('../../../tools/kit/roles.js');
const t = require('../../../tools/transcript/transcript.js');
const random = require('./random.js');
const { REUSE_ADDRESS, REUSE_PORT, listen } = require('./socket.js');

const [first] = t.voices('first', 'second');
const host = '127.0.0.1';

// Starts the second process and gives what came of its attempt to listen.
async function ask(address, option) {
  const second = roles.fork('second', 'second.js', [address.host, address.port, option]);
  const outcome = await roles.answer(second);
  await roles.end(second);
  return outcome;
}

async function main() {
  t.step('One port, two processes');
  const server = await listen({ host, port: 0 }, REUSE_ADDRESS);
  const { port } = server.address();
  first.say(`pid ${process.pid} listens on ${host} port ${port}`);
  const plain = await ask({ host, port }, REUSE_ADDRESS);
  const holders = proc.holders(proc.listeners(port));
  for (const { pid, fd, name } of holders) first.say(`/proc says who holds it: pid ${pid} (${name}), as its fd ${fd}`);

  t.step('SO_REUSEADDR does not help; another address does');
  first.say('libuv sets SO_REUSEADDR on every TCP server: both had it all along');
  first.say('it helps against what old connections leave, not against a listener');
  const reuseAddress = await ask({ host, port }, REUSE_ADDRESS);
  const elsewhere = await ask({ host: '127.0.0.2', port }, REUSE_ADDRESS);
  first.say('a port belongs to an address');
  server.close();
  const after = await ask({ host, port }, REUSE_ADDRESS);
  first.say('closed mine, and it was free at once');

  t.step('SO_REUSEPORT, which both must set');
  first.say(`this is Node ${process.version}; reusePort: true came with 22.12 and 23.1`);
  const shared = await listen({ host, port: 0 }, REUSE_PORT);
  first.say('I listen with it');
  const outcome = await ask({ host, port: shared.address().port }, REUSE_PORT);
  first.say(outcome === 'free' ? 'two sockets, each with a queue of its own' : 'this Node ignores the option');
  shared.close();

  t.step('Random ports out of 1000 to 2000 collide soon');
  const { likely, computed, observed } = await random.collide();

  t.fact('a second listen on the same port', plain);
  t.fact('the holder found in /proc is the first process', t.yes(holders.some(({ pid }) => pid === process.pid)));
  t.fact('SO_REUSEADDR while the first one listens', reuseAddress);
  t.fact('the same port on another address', elsewhere);
  t.fact('after the first one closed', after);
  t.fact('processes at which a collision is likelier than not', likely);
  t.fact('observed within 10 points of computed', t.yes(Math.abs(computed - observed) < 0.1));
}

main();
