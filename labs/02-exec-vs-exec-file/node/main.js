'use strict';
// exec gives a line to a shell; execFile gives arguments to a program.

const limits = require('./limits.js');
const lookup = require('./lookup.js');
const { count } = require('./processes.js');
const { exec, execFile } = require('./run.js');
const t = require('../../../tools/transcript/transcript.js');

const [, byExec, byExecFile] = t.voices('parent', 'exec', 'execFile');
const show = ({ stdout, stderr }) => `stdout ${JSON.stringify(stdout)}, stderr ${JSON.stringify(stderr)}`;

async function main() {
  t.step('Who reads the line? A glob, a redirection');
  // ANCHOR: lines
  const globbed = [await exec('echo /proc/sel[f]'), await execFile('echo', ['/proc/sel[f]'])];
  byExec.say(`echo /proc/sel[f] → ${show(globbed[0])}`);
  byExecFile.say(`echo /proc/sel[f] → ${show(globbed[1])}`);
  const redirected = [await exec('echo out >&2'), await execFile('echo', ['out', '>&2'])];
  byExec.say(`echo out >&2 → ${show(redirected[0])}`);
  byExecFile.say(`echo out >&2 → ${show(redirected[1])}`);

  const hostile = 'x; echo INJECTED';
  t.step(`A hostile argument: ${hostile}`);
  const injected = (await exec(`echo hello ${hostile}`)).stdout;
  const quoted = (await execFile('echo', ['hello', hostile])).stdout;
  byExec.say(injected);
  byExecFile.say(quoted);
  // ANCHOR_END: lines

  t.step('How the program is found');
  const found = await lookup.tryAll();

  t.step('How many processes? cat tells its parent');
  const byShell = count(byExec, await exec('cat /proc/self/stat; echo $$ $PPID'));
  const byFile = count(byExecFile, await execFile('cat', ['/proc/self/stat']));

  t.step('What they keep: at most 1 MiB by default');
  const exactly = await limits.fill(1048576);
  const oneMore = await limits.fill(1048577);

  const timeouts = await limits.timeOut();

  t.fact('a glob is expanded by exec', t.yes(globbed[0].stdout === '/proc/self\n'));
  t.fact('a glob is expanded by execFile', t.yes(globbed[1].stdout === '/proc/self\n'));
  t.fact('redirection works in exec', t.yes(redirected[0].stderr === 'out\n'));
  t.fact('redirection works in execFile', t.yes(redirected[1].stderr === 'out\n'));
  const ran = (output) => t.yes(output.split('\n').includes('INJECTED'));
  t.fact('the injected command ran under exec', ran(injected));
  t.fact('the injected command ran under execFile', ran(quoted));
  t.fact("the child's PATH counts", t.yes(found.path === 'ENOENT'));
  t.fact('a script is run by what its #! line names', t.yes(found.byShebang));
  t.fact('a missing interpreter', found.orphan);
  t.fact('processes made by exec', byShell);
  t.fact('processes made by execFile', byFile);
  t.fact('output of exactly 1048576 bytes', exactly);
  t.fact('output of 1048577 bytes', oneMore);
  t.fact('killSignal reported', timeouts.killSignal);
  t.fact('after a timeout the shell ended by', timeouts.shell);
  t.fact('what the shell had started survived', t.yes(timeouts.survived));
  t.fact('it survived a kill of the whole group', t.yes(timeouts.survivedGroup));
}

main();
