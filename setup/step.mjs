// What a step of the set-up is. The list is in steps.mjs; main.mjs walks it. A step never prints and never ends the
// process: it returns words, or throws CannotBeHad or ToolFailed.

/**
 * What the steps of one run share. Steps fill in `node` and `python` for those that come after them.
 * @typedef {object} Context
 * @property {string} root        the checkout
 * @property {NodeJS.ProcessEnv} env   for every program that is started
 * @property {AbortSignal} signal aborted when the person stops the set-up
 * @property {string} [node]      a Node.js that is new enough
 * @property {string} [python]    a Python that can make virtual environments
 */

/**
 * One thing that a checkout needs.
 * @typedef {object} Step
 * @property {string} id       its name on the command line
 * @property {string} name     its name for people
 * @property {boolean} always  nothing works without it; otherwise only commands that `--need` it stop
 * @property {'tests'} [for]   only tests need it: made and mentioned only when asked for
 * @property {string} without  what will be missing when it cannot be had
 * @property {string[]} after  ids of the steps that it builds on
 * @property {(context: Context) => Promise<string | undefined>} check
 *   what is there, in words with its version, or undefined when something is missing; quick and without side effects
 * @property {(context: Context, say: (line: string) => void) => Promise<string>} make
 *   makes it so; `say` tells what is going on now; returns what `check` would. Starts afresh after an interruption
 */

/** Something that the set-up cannot bring by itself. `advice` is what a person does about it, one line each. */
export class CannotBeHad extends Error {
  /**
   * @param {string} message
   * @param {string[]} advice
   */
  constructor(message, advice) {
    super(message);
    this.name = 'CannotBeHad';
    this.advice = advice;
  }
}
