// Set-up of a checkout, and the door through which every npm script goes: `node setup.mjs --help`.
// This file stays in old syntax with no static import, so that an old Node reads it and prints the message below
// instead of a syntax error. The work is in setup/main.mjs.

const oldest = 18;
const here = process.versions.node;

if (process.platform === 'win32') {
  stop('Windows is not supported directly. Install WSL (wsl --install) and use the checkout inside it.');
} else if (Number(here.split('.')[0]) < oldest) {
  stop(
    'Node.js ' +
      here +
      ' is too old for the set-up: it needs ' +
      String(oldest) +
      ' or newer.\n' +
      'Install one from your distribution or with a version manager (nvm install 24) and try again.',
  );
} else {
  import('./setup/main.mjs')
    .then((program) => program.main(process.argv.slice(2)))
    .then((code) => {
      process.exitCode = code;
    })
    .catch((/** @type {unknown} */ error) => {
      console.error(error);
      process.exitCode = 1;
    });
}

/** @param {string} message */
function stop(message) {
  console.error(message);
  process.exitCode = 1;
}
