'use strict';
// Who gets the next connection? Node has two answers, and a primary keeps to one of them: so there are several primaries.

const roles = require('../../../tools/kit/roles.js');
const t = require('../../../tools/transcript/transcript.js');

t.voices('primary');

// A primary with this policy, which the environment names. It does what it is asked to.
async function start(policy, workers = 4) {
  const env = { NODE_CLUSTER_SCHED_POLICY: policy, WORKERS: workers };
  const primary = roles.fork('primary', 'primary.js', [], { env });
  await roles.answer(primary);
  return primary;
}

async function main() {
  t.step('Round robin');
  const first = await start('rr');
  const roundRobin = await roles.ask(first, 'in turn');
  const equal = await roles.ask(first, 'at a time');
  const oneSlow = await roles.ask(first, 'one slow');
  await roles.end(first);

  t.step('Shared: all accept from one socket, and each connection goes to one of them');
  const second = await start('none');
  const sharedEqual = await roles.ask(second, 'at a time');
  const sharedSlow = await roles.ask(second, 'one slow');
  await roles.end(second);

  t.step('Weighted, which Node does not have');
  const third = await start('weighted');
  const weighted = await roles.ask(third, 'in turn');
  await roles.end(third);

  t.step('Least connections, which Node does not have');
  const fourth = await start('least-connections', 1);
  const leastConnections = await roles.ask(fourth, 'in turn while forty stay');
  await roles.end(fourth);

  t.step('Sticky, which Node does not have');
  const fifth = await start('sticky');
  const sticky = await roles.ask(fifth, 'in turn');
  await roles.end(fifth);

  t.fact('round robin, one after the other', roundRobin.join(' '));
  t.fact('weighted 4 2 1 1, one after the other', weighted.join(' '));
  t.fact('least connections, worker 1 with 40 clients gets', `${leastConnections[0]} of 100`);
  t.fact('sticky, one after the other', sticky.join(' '));
  t.fact('round robin, equal workers, answered', equal);
  t.fact('round robin, one slow, answered', oneSlow);
  t.fact('shared, equal workers, answered', sharedEqual);
  t.fact('shared, one slow, answered', sharedSlow);
}

main();
