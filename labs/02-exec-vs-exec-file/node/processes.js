'use strict';
// How many processes a command takes.

// ANCHOR: processes
// How many processes it took to run `cat /proc/self/stat`, from its answer: pid (name) state parent …, proc(5). A shell adds
// a line with its own pid and its parent's.
function count(voice, { stdout }) {
  const [stat, ...shells] = stdout.trim().split('\n').map((line) => line.split(' '));
  const made = [[stat[0], stat[3]], ...shells];
  for (const [i, [pid, parent]] of made.entries()) {
    voice.say(`${['cat', 'the shell'][i]} is pid ${pid}, its parent is pid ${parent}`);
  }
  // From cat up to us without a gap.
  const unbroken = made.every(([, parent], i) => parent === (made[i + 1]?.[0] ?? String(process.pid)));
  if (!unbroken) throw new Error(`a process is missing between ${made.join(' and ')} and ${process.pid}`);
  return made.length;
}
// ANCHOR_END: processes

module.exports = { count };
