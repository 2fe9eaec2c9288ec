// Runs a foreign program (npm, pip) for a step: hands on its lines as they come, keeps the last ones for the error
// report, and ends the whole process group when the person stops the set-up.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { delimiter, sep } from 'node:path';
import { CannotBeHad } from './step.mjs';

const keptLines = 15;

// Empty lines, and npm's stack traces and pointers to its own logs, which push what matters out of the last lines.
const noise = /^(npm error)?\s*($|at |A complete log of this run)/;

const graceMs = 5000;

/** A program ended badly. `output` holds its last lines. */
export class ToolFailed extends Error {
  /**
   * @param {string} command
   * @param {string} how
   * @param {string[]} output
   */
  constructor(command, how, output) {
    super(`${command} ${how}`);
    this.name = 'ToolFailed';
    this.output = output;
  }
}

/**
 * @typedef {object} Tool
 * @property {string} command
 * @property {string[]} args
 * @property {string[]} ifMissing   advice when there is no such program
 * @property {NodeJS.ProcessEnv} [env]  instead of the context's
 */

/**
 * Runs the tool in the checkout and returns its last lines.
 * @param {import('./step.mjs').Context} context
 * @param {Tool} tool
 * @param {(line: string) => void} onLine
 * @returns {Promise<string[]>}
 * @throws {ToolFailed} when it ends with anything but 0
 * @throws {CannotBeHad} when there is no such program
 */
export async function runTool(context, tool, onLine) {
  context.signal.throwIfAborted();
  const shown = [tool.command, ...tool.args].join(' ');
  // A process group of its own: one signal reaches whatever the tool itself has started.
  const child = spawn(tool.command, tool.args, {
    cwd: context.root,
    env: tool.env ?? context.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  /** @type {string[]} */
  const output = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (noise.test(line)) return;
      output.push(line);
      if (output.length > keptLines) output.shift();
      onLine(line.trim());
    });
  }
  const ended = await endOf(child, context.signal);
  context.signal.throwIfAborted();
  if (ended.error?.code === 'ENOENT')
    throw new CannotBeHad(`There is no ${tool.command} here.`, tool.ifMissing);
  if (ended.error) throw new ToolFailed(shown, `cannot be started: ${ended.error.message}`, output);
  if (ended.code !== 0)
    throw new ToolFailed(shown, `ended with ${ended.killedBy ?? `code ${ended.code}`}`, output);
  return output;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {AbortSignal} signal
 * @returns {Promise<{ code: number | null, killedBy: string | null, error?: NodeJS.ErrnoException }>}
 */
function endOf(child, signal) {
  return new Promise((resolve) => {
    /** @type {NodeJS.Timeout | undefined} */
    let force;
    const end = () => {
      signalGroup(child, 'SIGTERM');
      force = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
    };
    /** @param {{ code: number | null, killedBy: string | null, error?: NodeJS.ErrnoException }} result */
    const done = (result) => {
      clearTimeout(force);
      signal.removeEventListener('abort', end);
      resolve(result);
    };
    signal.addEventListener('abort', end, { once: true });
    child.on('error', (error) => done({ code: null, killedBy: null, error }));
    child.on('close', (code, killedBy) => done({ code, killedBy }));
  });
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} name
 */
function signalGroup(child, name) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // It has ended in the meantime.
  }
}

/**
 * The environment for npm: without the folders that npm scripts put in front of the path. In them lies our own
 * Node.js, which a fresh installation deletes under npm's feet.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function withoutBinFolders(env) {
  const folders = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.endsWith(`node_modules${sep}.bin`));
  return { ...env, PATH: folders.join(delimiter) };
}
