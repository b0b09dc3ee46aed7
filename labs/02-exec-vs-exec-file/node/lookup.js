'use strict';
// How a program is found: PATH, and the #! line of a script.

const fs = require('node:fs');
const path = require('node:path');
const t = require('../../../tools/transcript/transcript.js');
const { inFolder } = require('../../../tools/transcript/folder.js');
const { execFile } = require('./run.js');

const [parent, , byExecFile] = t.voices('parent', 'exec', 'execFile');

async function tryAll() {
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
    return { path: lost.code, byShebang: itself.stdout === content, orphan: orphan.code };
  });
}

module.exports = { tryAll };
