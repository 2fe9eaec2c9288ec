// Runs the command for which the set-up was made, as if it had been started directly: its terminal, its signals, its
// exit code.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, resolve } from 'node:path';

const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
const sameKeyPressMs = 500;

/**
 * Runs one of our programs with the Node.js that the set-up found, on the sources as they are.
 * @param {Pick<import('./step.mjs').Context, 'root' | 'env' | 'node'>} context
 * @param {string[]} command  the program's file, relative to the checkout, and its arguments
 * @returns {Promise<number>} its exit code; 128 and the signal's number when a signal ended it
 */
export function runCommand(context, command) {
  const [file = '', ...args] = command;
  const node = context.node ?? process.execPath;
  const child = spawn(node, ['--conditions=@hyperty/source', resolve(context.root, file), ...args], {
    stdio: 'inherit',
    env: { ...context.env, PATH: [dirname(node), context.env['PATH']].join(delimiter) },
  });
  const forward = forwarder(child);
  for (const name of signals) process.on(name, forward);
  return new Promise((done) => {
    child.on('error', (error) => {
      console.error(`${node} cannot be started: ${error.message}`);
      done(1);
    });
    child.on('exit', (code, signal) => done(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

/**
 * Hands signals on and stays alive until the child has cleaned up. Ctrl-C reaches the child through the terminal, so
 * it is handed on only where there is none; npm repeats it, and once is enough.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {(name: NodeJS.Signals) => void}
 */
function forwarder(child) {
  let last = { name: '', at: 0 };
  return (name) => {
    const repeated = name === last.name && Date.now() - last.at < sameKeyPressMs;
    last = { name, at: Date.now() };
    if (repeated || (name === 'SIGINT' && process.stdin.isTTY)) return;
    child.kill(name);
  };
}
