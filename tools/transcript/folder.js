'use strict';
// A folder for `use` alone: gone when that is done, and gone when this process is told to end in the middle of it.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

// By default a signal ends Node without 'exit'. Not once(): a second signal would then do so in the middle of the first one's 'exit'.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => process.exit(128 + os.constants.signals[signal]));
}

async function inFolder(use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'forklore-'));
  const remove = () => fs.rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await use(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

module.exports = { inFolder };
