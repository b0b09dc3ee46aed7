'use strict';
// A copy of a process. Node has no fork(2), but a shell does one for each ( … ) &.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const readline = require('node:readline');
const t = require('../../../tools/transcript/transcript.js');

const [parent, child, copy] = t.voices('parent', 'child', 'copy');

// ANCHOR: fork
// Such a job has /dev/null for its stdin, hence 3<&0.
const FORKING = `
  exec 3<&0
  v=old
  ( read -r go <&3; read -r pid rest </proc/self/stat; echo "copy $pid $v" ) &
  v=new
  echo "child $$ $v"
  wait`;

async function forkACopy() {
  t.step('fork(2) copies the memory: a shell and its subshell');
  const shell = spawn('sh', ['-c', FORKING], { stdio: ['pipe', 'pipe', 'ignore'] });
  const closed = once(shell, 'close');
  let seen;
  for await (const line of readline.createInterface({ input: shell.stdout })) {
    const [who, pid, v] = line.split(' ');
    if (who === 'child') {
      child.say(`pid ${pid}: I set v=old, forked, then set v=new; for me v is ${v}`);
      parent.arrow('message', 'copy', 'go');
      shell.stdin.end('go\n');
    } else {
      copy.say(`pid ${pid}: for me v is ${v}`);
      seen = v;
    }
  }
  await closed;
  return seen;
}
// ANCHOR_END: fork

module.exports = { forkACopy };
