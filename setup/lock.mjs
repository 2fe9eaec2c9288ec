// One set-up at a time in a checkout: a lock file that names its holder. A holder that has died, even without saying
// so, holds nothing.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readJson } from './json-file.mjs';
import { CannotBeHad } from './step.mjs';

const pollMs = 200;
const longestWaitMs = 20 * 60_000;

/**
 * Runs `work` while this process holds the lock. Waits for another holder, and tells whom it waits for.
 * @template T
 * @param {import('./step.mjs').Context} context
 * @param {(pid: number) => void} onWait
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(context, onWait, work) {
  const folder = join(context.root, '.setup');
  makeFolder(folder);
  const lock = join(folder, 'lock');
  await acquire(lock, context.signal, onWait);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/**
 * Not with `recursive`: in a read-only folder that says "no such file", which is no help.
 * @param {string} folder
 */
function makeFolder(folder) {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * @param {string} lock
 * @param {AbortSignal} signal
 * @param {(pid: number) => void} onWait
 */
async function acquire(lock, signal, onWait) {
  // Written in full under a name of its own, then linked: nobody ever sees half a lock.
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }));
  try {
    let waitedMs = 0;
    while (!link(own, lock)) {
      const holder = readHolder(lock);
      if (holder === undefined) continue;
      if (!isAlive(holder)) {
        breakLock(lock, own);
        continue;
      }
      if (waitedMs === 0) onWait(holder.pid);
      if (waitedMs > longestWaitMs) throw neverEnds(holder);
      await wait(pollMs, undefined, { signal });
      waitedMs += pollMs;
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** @param {Holder} holder */
const neverEnds = ({ pid }) =>
  new CannotBeHad(`Another set-up (process ${pid}) does not come to an end.`, [
    `Look at it with: ps -f ${pid}`,
    'If it is no set-up, delete the file .setup/lock and try again.',
  ]);

/**
 * @param {string} from
 * @param {string} to
 * @returns {boolean} whether this process now holds it
 */
function link(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Takes a dead holder's lock away. Two that try at the same time move it one after the other, and the second may have
 * moved a living lock: that one goes back.
 * @param {string} lock
 * @param {string} own
 */
function breakLock(lock, own) {
  const aside = `${own}.dead`;
  try {
    renameSync(lock, aside);
  } catch {
    return; // Somebody else was quicker.
  }
  const moved = readHolder(aside);
  if (moved !== undefined && isAlive(moved)) link(aside, lock);
  rmSync(aside, { force: true, recursive: true });
}

/** @typedef {{ pid: number, started: string }} Holder */

/**
 * @param {string} lock
 * @returns {Holder | undefined}
 */
function readHolder(lock) {
  try {
    return /** @type {Holder} */ (readJson(lock));
  } catch (error) {
    // ENOENT: it was given back in the meantime. Nonsense, such as an empty file after a power failure, is nobody's.
    return codeOf(error) === 'ENOENT' ? undefined : nobody;
  }
}

/** @type {Holder} */
const nobody = { pid: 0, started: '' };

/** @param {unknown} error */
const codeOf = (error) => (error instanceof Error && 'code' in error ? error.code : undefined);

/** @param {Holder} holder */
function isAlive(holder) {
  if (holder.pid <= 0) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to another user.
    return codeOf(error) === 'EPERM';
  }
  return startOf(holder.pid) === holder.started;
}

/**
 * When a process was started: tells a holder from a later process that got the same number.
 * @param {number} pid
 */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces; the start is the 20th field after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return startFromPs(pid);
  }
}

/** @param {number} pid */
function startFromPs(pid) {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}
