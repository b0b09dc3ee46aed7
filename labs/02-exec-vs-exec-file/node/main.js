'use strict';
// exec gives a line to a shell; execFile gives arguments to a program.

const fs = require('node:fs');
const path = require('node:path');
const t = require('../../../tools/transcript/transcript.js');
const { inFolder } = require('../../../tools/transcript/folder.js');
const { exec, execFile } = require('./run.js');
const { killedShell, killedGroup } = require('./timeout.js');

const [parent, byExec, byExecFile] = t.voices('parent', 'exec', 'execFile', 'spawn');
const printed = ({ stdout, stderr }) => `stdout ${JSON.stringify(stdout)}, stderr ${JSON.stringify(stderr)}`;

// ANCHOR: lines
async function whoReadsTheLine() {
  t.step('Who reads the line? A glob, a redirection');
  const glob = [await exec('echo /proc/sel[f]'), await execFile('echo', ['/proc/sel[f]'])];
  byExec.say(`echo /proc/sel[f] → ${printed(glob[0])}`);
  byExecFile.say(`echo /proc/sel[f] → ${printed(glob[1])}`);
  const redirection = [await exec('echo out >&2'), await execFile('echo', ['out', '>&2'])];
  byExec.say(`echo out >&2 → ${printed(redirection[0])}`);
  byExecFile.say(`echo out >&2 → ${printed(redirection[1])}`);

  const expanded = glob.map(({ stdout }) => t.yes(stdout === '/proc/self\n'));
  const redirected = redirection.map(({ stderr }) => t.yes(stderr === 'out\n'));
  return {
    'a glob is expanded by exec': expanded[0],
    'a glob is expanded by execFile': expanded[1],
    'redirection works in exec': redirected[0],
    'redirection works in execFile': redirected[1],
  };
}

async function hostileArgument() {
  const argument = 'x; echo INJECTED';
  t.step(`A hostile argument: ${argument}`);
  const byLine = await exec(`echo hello ${argument}`);
  const byList = await execFile('echo', ['hello', argument]);
  byExec.say(byLine.stdout);
  byExecFile.say(byList.stdout);

  const ran = ({ stdout }) => t.yes(stdout.split('\n').includes('INJECTED'));
  return {
    'the injected command ran under exec': ran(byLine),
    'the injected command ran under execFile': ran(byList),
  };
}
// ANCHOR_END: lines

async function lookup() {
  t.step('How the program is found');
  const lost = await execFile('true', { env: { PATH: '/nonexistent' } });
  byExecFile.say(`true, with PATH=/nonexistent for the child: ${lost.code}`);

  return inFolder(async (folder) => {
    const script = (name, content) => {
      const file = path.join(folder, name);
      fs.writeFileSync(file, content, { mode: 0o755 });
      return file;
    };
    const content = '#!/bin/cat\nI am read by what my first line names.\n';
    const itself = await execFile(script('itself', content));
    byExecFile.say(itself.stdout);

    const orphan = await execFile(script('orphan', '#!/nonexistent/interpreter\n'));
    byExecFile.say(`#!/nonexistent/interpreter: ${orphan.code}`);
    const there = t.yes(fs.existsSync(orphan.path));
    parent.say(`Node names the script, "${path.basename(orphan.path)}"; but is that there? ${there}`);
    return {
      "the child's PATH counts": t.yes(lost.code === 'ENOENT'),
      'a script is run by what its #! line names': t.yes(itself.stdout === content),
      'a missing interpreter': orphan.code,
    };
  });
}

// ANCHOR: processes
async function howManyProcesses() {
  t.step('How many processes? cat tells its parent');
  // Without `; true` some shells, bash among them, become the one command that they are given.
  const runs = [await exec('cat /proc/self/stat; true'), await execFile('cat', ['/proc/self/stat'])];
  const counts = runs.map(({ stdout, pid }, i) => {
    const [, own, ppid] = /^(\d+) \(cat\) \S (\d+)/.exec(stdout).map(Number);
    [byExec, byExecFile][i].say(`I started pid ${pid}; cat is pid ${own}, its parent is pid ${ppid}`);
    return new Set([pid, own]).size;
  });
  return { 'processes made by exec': counts[0], 'processes made by execFile': counts[1] };
}
// ANCHOR_END: processes

async function limit() {
  t.step('What they keep: at most 1 MiB by default');
  const encoding = 'buffer';
  const exact = await execFile('head', ['-c', '1048576', '/dev/zero'], { encoding });
  const over = await execFile('head', ['-c', '1048577', '/dev/zero'], { encoding });
  const verdict = ({ code, stdout }) => (code ? `refused, ${stdout.length} kept` : 'accepted');
  byExecFile.say(`1048576 bytes: ${verdict(exact)}, ${exact.stdout.length} kept`);
  byExecFile.say(`1048577 bytes: ${over.code}`);
  return {
    'output of exactly 1048576 bytes': verdict(exact),
    'output of 1048577 bytes': verdict(over),
  };
}

async function main() {
  const facts = {};
  for (const step of [whoReadsTheLine, hostileArgument, lookup, howManyProcesses, limit, killedShell, killedGroup]) {
    Object.assign(facts, await step());
  }
  for (const [name, value] of Object.entries(facts)) t.fact(name, value);
}

main();
