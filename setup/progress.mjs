// What the person sees while a step works: one line that changes on a terminal, a plain line now and then elsewhere
// (in a log file, in CI). Everything goes to standard error: standard output belongs to the command.

import { clearLine, cursorTo } from 'node:readline';

const frameMs = 100;
const plainEveryMs = 20_000;
const plainWidth = 100;
const frames = ['|', '/', '-', '\\'];

/**
 * @typedef {object} Progress
 * @property {(line: string) => void} say  what is going on now
 * @property {() => void} stop             wipes the line that changes
 */

/**
 * @param {string} title
 * @param {NodeJS.WriteStream} [stream]
 * @returns {Progress}
 */
export function startProgress(title, stream = process.stderr) {
  const began = Date.now();
  let now = '';
  if (!stream.isTTY) {
    stream.write(`  ${title} ...\n`);
    const timer = setInterval(() => {
      const line = `  ${title} ... ${seconds(Date.now() - began)}${now && `: ${now}`}`;
      stream.write(`${line.slice(0, plainWidth)}\n`);
    }, plainEveryMs);
    return { say: (line) => void (now = line), stop: () => clearInterval(timer) };
  }
  let frame = 0;
  const timer = setInterval(() => {
    const line = `${frames[frame++ % frames.length]} ${title} ${seconds(Date.now() - began)} ${now}`;
    wipe(stream);
    stream.write(line.slice(0, stream.columns - 1));
  }, frameMs);
  return {
    say: (line) => void (now = line),
    stop: () => {
      clearInterval(timer);
      wipe(stream);
    },
  };
}

/** @param {NodeJS.WriteStream} stream */
function wipe(stream) {
  clearLine(stream, 0);
  cursorTo(stream, 0);
}

/**
 * A duration as a person reads it.
 * @param {number} ms
 */
export function seconds(ms) {
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
