/**
 * A file that says which process has something for itself. It needs no clean-up after a crash: a lock whose process
 * is gone counts as free.
 */
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FabricError } from '@hyperty/runtime';
import { makeFolder } from './folder.ts';
import { findProcess, type ProcessInfo } from './process-table.ts';

/** A lock that this process has. */
export interface ProcessLock {
  /** Gives it back; does nothing the second time. */
  release(): Promise<void>;
}

interface LockText {
  readonly pid: number;
  readonly startMark: string;
}

const ATTEMPTS = 20;

/** Takes the lock at `path`, or returns `undefined` when a living process (this one included) has it. */
export async function tryLock(path: string): Promise<ProcessLock | undefined> {
  await makeFolder(dirname(path));
  const own = await findProcess(process.pid);
  const text = JSON.stringify({ pid: process.pid, startMark: own?.startMark ?? '' } satisfies LockText);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await createExclusively(path, text)) return createLock(path);
    if ((await lockHolder(path)) !== undefined) return undefined;
    await removeStale(path);
  }
  throw new FabricError('conflict', `${path} changes hands all the time. Remove it when nothing uses it.`);
}

/** The living process that has the lock at `path`, if any. */
export async function lockHolder(path: string): Promise<ProcessInfo | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const lock = text === undefined ? undefined : parseLock(text);
  if (lock === undefined) return undefined;
  const holder = await findProcess(lock.pid);
  return holder?.startMark === lock.startMark ? holder : undefined;
}

function createLock(path: string): ProcessLock {
  let held = true;
  return {
    release: async () => {
      if (!held) return;
      held = false;
      await rm(path, { force: true });
    },
  };
}

/** A hard link is made or not, in one step, and never shows a half-written text. */
async function createExclusively(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Moves a stale lock away; when a living process took it in between, that one gets it back. */
async function removeStale(path: string): Promise<void> {
  const moved = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, moved);
    if ((await lockHolder(moved)) !== undefined) await link(moved, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    await rm(moved, { force: true });
  }
}

function parseLock(text: string): LockText | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, startMark } = value as Record<string, unknown>;
    return typeof pid === 'number' && typeof startMark === 'string' ? { pid, startMark } : undefined;
  } catch {
    return undefined;
  }
}
