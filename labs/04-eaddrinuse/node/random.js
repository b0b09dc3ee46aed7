'use strict';
// The birthday problem, with ports for days.

const t = require('../../../tools/transcript/transcript.js');
const { REUSE_ADDRESS, listen } = require('./socket.js');

const [first] = t.voices('first', 'second');
const PORTS = 1001; // 1000 to 2000, both included
const MANY = 200; // so many that chance stays far below the ten points that the fact allows: the standard deviation is two
const percent = (share) => (100 * share).toFixed(1);

async function collide() {
  let likely = 1;
  while (collision(likely) <= 0.5) likely += 1;
  for (const n of [2, 4, 8, 16, likely]) {
    first.say(`${n} processes: two choose the same port in ${percent(collision(n))} of 100 cases`);
  }
  const [computed, observed] = [refused(MANY), await observe(MANY)];
  first.say(`${MANY} processes: computed ${percent(computed)} of 100 find their port taken`);
  first.say(`${MANY} processes: observed ${percent(observed)} of 100, on real ports`);
  return { likely, computed, observed };
}

// ANCHOR: odds
// How likely it is that of so many processes, each choosing one of PORTS at random, two choose the same one.
function collision(processes) {
  let distinct = 1;
  for (let taken = 0; taken < processes; taken += 1) distinct *= 1 - taken / PORTS;
  return 1 - distinct;
}

// The share of so many processes that find their port taken: all but the first on each port that is drawn at all.
function refused(processes) {
  const drawn = PORTS * (1 - (1 - 1 / PORTS) ** processes);
  return 1 - drawn / processes;
}
// ANCHOR_END: odds

// The same, by asking the kernel for as many real ports.
async function observe(processes) {
  // As many ports, but where no privilege is needed, on a loopback address of this run's own: all of 127.0.0.0/8 is loopback.
  const BASE = 20000;
  const { pid } = process;
  const host = `127.${64 + (pid >> 16)}.${(pid >> 8) & 255}.${pid & 255}`;
  const servers = [];
  for (let drawn = 0; drawn < processes; drawn += 1) {
    try {
      servers.push(await listen({ host, port: BASE + Math.floor(Math.random() * PORTS) }, REUSE_ADDRESS));
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error;
    }
  }
  for (const server of servers) server.close();
  return 1 - servers.length / processes;
}

module.exports = { collide };
