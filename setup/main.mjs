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

  node setup.mjs [--for tests] [--need STEP]... [-- FILE [ARGUMENT...]]

  --for tests   bring what only tests need as well
  --need STEP   stop when STEP cannot be had, instead of going on without it
  -- FILE       run this JavaScript or TypeScript file of the checkout afterwards
  --help        this text

Steps, in their order (those marked * are always needed, those marked t for tests):
${steps.map((step) => `  ${step.id.padEnd(9)}${markOf(step)} ${step.name}; without it: ${step.without}`).join('\n')}

Nothing outside this folder is changed, but for the caches of npm and pip, and the packages for tests, which root gets
from apt on Debian and Ubuntu; anybody else is told what to install. What is there already is left alone, so a
second run takes no time, and an interrupted one goes on where it was. To start from nothing, delete node_modules and
.venv. Exit code: 0, that of the command, or 1 when a needed step fails.`;

/**
 * @typedef {import('./step.mjs').Step} Step
 * @typedef {import('./step.mjs').Context} Context
 */

/**
 * What a run is to bring.
 * @typedef {object} Plan
 * @property {readonly Step[]} steps  in their order
 * @property {string[]} need          ids of those without which the command does not run
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
    const ready = await bringUp(context, options);
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

/** @param {Step} step */
function markOf(step) {
  if (step.always) return '*';
  return step.for === 'tests' ? 't' : ' ';
}

/**
 * @param {string[]} argv
 * @returns {Plan & { command: string[] } | string} a text to print when there is nothing to run
 */
function parseArguments(argv) {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const own = argv.slice(0, end);
  let forTests = false;
  /** @type {string[]} */
  const need = [];
  while (own.length > 0) {
    const argument = own.shift();
    if (argument === '--help' || argument === '-h') return help;
    const value = own.shift();
    if (argument === '--for' && value === 'tests') forTests = true;
    else if (argument !== '--need' || value === undefined)
      return `What is "${argument}"? See: node setup.mjs --help`;
    else if (steps.some((step) => step.id === value)) need.push(value);
    else return `There is no step "${value}". See: node setup.mjs --help`;
  }
  const wanted = steps.filter((step) => forTests || step.for !== 'tests' || need.includes(step.id));
  return { steps: wanted, need, command: argv.slice(end + 1) };
}

/**
 * @param {Context} context
 * @param {Plan} plan
 * @returns {Promise<boolean>} whether all that is needed is there
 */
async function bringUp(context, plan) {
  const began = Date.now();
  const there = await checkAll(context, plan);
  if (there.length === plan.steps.length) {
    console.error(`Set up: ${there.join(', ')} (${seconds(Date.now() - began)})`);
    return true;
  }
  const lacking = await lockedMake(context, plan);
  if (lacking.some((step) => isNeeded(step, plan))) return false;
  const result =
    lacking.length === 0 ? 'Set up' : `Set up without ${lacking.map((step) => step.name).join(', ')}`;
  console.error(`${result} (${seconds(Date.now() - began)})`);
  return true;
}

/**
 * @param {Context} context
 * @param {Plan} plan
 * @returns {Promise<string[]>} what is there, up to the first step that lacks something
 */
async function checkAll(context, { steps }) {
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
 * @param {Plan} plan
 * @returns {Promise<Step[]>} the steps that failed
 */
async function lockedMake(context, plan) {
  const toldWait = (/** @type {number} */ pid) =>
    console.error(`Another set-up (process ${pid}) is at work in this folder; waiting for it.`);
  try {
    return await withLock(context, toldWait, () => makeAll(context, plan));
  } catch (error) {
    context.signal.throwIfAborted();
    const [first] = plan.steps;
    if (first === undefined) throw error;
    console.error(`! ${explain({ ...first, name: 'Set-up' }, error, context.root).join('\n')}`);
    return [first];
  }
}

/**
 * @param {Context} context
 * @param {Plan} plan
 * @returns {Promise<Step[]>} the steps that failed
 */
async function makeAll(context, plan) {
  /** @type {Step[]} */
  const lacking = [];
  for (const step of plan.steps) {
    const before = lacking.find((other) => step.after.includes(other.id));
    if (before !== undefined) {
      console.error(`- ${step.name}: left out, since it needs ${before.name}. Without it: ${step.without}.`);
      lacking.push(step);
    } else if (!(await makeOne(context, step))) {
      lacking.push(step);
      if (isNeeded(step, plan)) break;
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
 * @param {Plan} plan
 */
function isNeeded(step, { steps, need }) {
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
