// The set-up program: checks each step, makes what is missing, then runs a command. Needs nothing but Node.js 18.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants } from 'node:os';
import { runCommand } from './command.mjs';
import { explain } from './explain.mjs';
import { withLock } from './lock.mjs';
import { seconds, startProgress } from './progress.mjs';
import { steps } from './steps.mjs';

const help = `Brings this checkout into working order, then runs a command in it.

  node setup.mjs [--need STEP]... [-- FILE [ARGUMENT...]]

  --need STEP   stop when STEP cannot be had, instead of going on without it
  -- FILE       run this JavaScript or TypeScript file of the checkout afterwards
  --help        this text

Steps, in their order (those marked * are always needed):
${steps.map((step) => `  ${step.id.padEnd(9)}${step.always ? '* ' : '  '}${step.name}; without it: ${step.without}`).join('\n')}

Nothing outside this folder is changed, but for the caches of npm and pip. What is there already is left alone, so a
second run takes no time, and an interrupted one goes on where it was. To start from nothing, delete node_modules and
.venv. Exit code: 0, that of the command, or 1 when a needed step fails.`;

/**
 * @typedef {import('./step.mjs').Step} Step
 * @typedef {import('./step.mjs').Context} Context
 */

/**
 * @param {string[]} argv
 * @returns {Promise<number>} the exit code
 */
export async function main(argv) {
  const options = parseArguments(argv);
  if (typeof options === 'string') {
    const asked = options === help;
    console[asked ? 'log' : 'error'](options);
    return asked ? 0 : 2;
  }
  const stopper = stopOnSignals();
  /** @type {Context} */
  const context = {
    root: dirname(dirname(fileURLToPath(import.meta.url))),
    env: process.env,
    signal: stopper.signal,
  };
  try {
    const ready = await bringUp(context, options.need);
    if (!ready) return 1;
  } catch (error) {
    if (!stopper.signal.aborted) throw error;
    console.error('Stopped. The next run goes on from here.');
    return 128 + constants.signals[stopper.name()];
  } finally {
    stopper.release();
  }
  return options.command.length === 0 ? 0 : runCommand(context, options.command);
}

/**
 * @param {string[]} argv
 * @returns {{ need: string[], command: string[] } | string} a text to print when there is nothing to run
 */
function parseArguments(argv) {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const own = argv.slice(0, end);
  /** @type {string[]} */
  const need = [];
  while (own.length > 0) {
    const argument = own.shift();
    const id = argument === '--need' ? own.shift() : undefined;
    if (argument === '--help' || argument === '-h') return help;
    if (id === undefined) return `What is "${argument}"? See: node setup.mjs --help`;
    if (!steps.some((step) => step.id === id)) return `There is no step "${id}". See: node setup.mjs --help`;
    need.push(id);
  }
  return { need, command: argv.slice(end + 1) };
}

/**
 * @param {Context} context
 * @param {string[]} need
 * @returns {Promise<boolean>} whether all that is needed is there
 */
async function bringUp(context, need) {
  const began = Date.now();
  const there = await checkAll(context);
  if (there.length === steps.length) {
    console.error(`Set up: ${there.join(', ')} (${seconds(Date.now() - began)})`);
    return true;
  }
  const lacking = await lockedMake(context, need);
  if (lacking.some((step) => isNeeded(step, need))) return false;
  const result =
    lacking.length === 0 ? 'Set up' : `Set up without ${lacking.map((step) => step.name).join(', ')}`;
  console.error(`${result} (${seconds(Date.now() - began)})`);
  return true;
}

/**
 * @param {Context} context
 * @returns {Promise<string[]>} what is there, up to the first step that lacks something
 */
async function checkAll(context) {
  /** @type {string[]} */
  const there = [];
  for (const step of steps) {
    const found = await step.check(context).catch(() => undefined); // It is tried again, and told, in make.
    if (found === undefined) break;
    there.push(found);
  }
  return there;
}

/**
 * @param {Context} context
 * @param {string[]} need
 * @returns {Promise<Step[]>} the steps that failed
 */
async function lockedMake(context, need) {
  const toldWait = (/** @type {number} */ pid) =>
    console.error(`Another set-up (process ${pid}) is at work in this folder; waiting for it.`);
  try {
    return await withLock(context, toldWait, () => makeAll(context, need));
  } catch (error) {
    context.signal.throwIfAborted();
    const [first] = steps;
    if (first === undefined) throw error;
    console.error(`! ${explain({ ...first, name: 'Set-up' }, error, context.root).join('\n')}`);
    return [first];
  }
}

/**
 * @param {Context} context
 * @param {string[]} need
 * @returns {Promise<Step[]>} the steps that failed
 */
async function makeAll(context, need) {
  /** @type {Step[]} */
  const lacking = [];
  for (const step of steps) {
    const before = lacking.find((other) => step.after.includes(other.id));
    if (before !== undefined) {
      console.error(`- ${step.name}: left out, since it needs ${before.name}. Without it: ${step.without}.`);
      lacking.push(step);
    } else if (!(await makeOne(context, step))) {
      lacking.push(step);
      if (isNeeded(step, need)) break;
    }
  }
  return lacking;
}

/**
 * @param {Context} context
 * @param {Step} step
 * @returns {Promise<boolean>}
 */
async function makeOne(context, step) {
  const began = Date.now();
  try {
    const found = (await step.check(context)) ?? (await makeVisibly(context, step));
    console.error(`+ ${found} (${seconds(Date.now() - began)})`);
    return true;
  } catch (error) {
    context.signal.throwIfAborted();
    console.error(`! ${explain(step, error, context.root).join('\n')}`);
    return false;
  }
}

/**
 * @param {Context} context
 * @param {Step} step
 */
async function makeVisibly(context, step) {
  const progress = startProgress(step.name);
  try {
    return await step.make(context, progress.say);
  } finally {
    progress.stop();
  }
}

/**
 * @param {Step} step
 * @param {string[]} need
 */
function isNeeded(step, need) {
  return (
    step.always ||
    need.includes(step.id) ||
    steps.some((other) => need.includes(other.id) && other.after.includes(step.id))
  );
}

/** Turns the signals that end a program into one AbortSignal, so that tools are ended and the lock is given back. */
function stopOnSignals() {
  const controller = new AbortController();
  const names = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  /** @type {(typeof names)[number]} */
  let received = 'SIGINT';
  const stop = (/** @type {NodeJS.Signals} */ name) => {
    received = names.find((known) => known === name) ?? received;
    controller.abort();
  };
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    name: () => received,
    release: () => names.forEach((name) => process.off(name, stop)),
  };
}
