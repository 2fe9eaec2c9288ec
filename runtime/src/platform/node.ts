/** What Node.js adds: storage in files that their owner alone can read. */
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FabricError } from '../message/error.ts';
import type { KeyValueStorage } from './storage.ts';

const KEY = /^[A-Za-z0-9._@-]{1,128}$/;

/**
 * Keeps each value in a file of its own under `directory` (mode 0700, files 0600), written to a temporary name and
 * renamed, so that a crash leaves the old value or the new one.
 * @throws FabricError `internal` with the system's error as cause when the directory cannot be used
 */
export function createFileStorage(directory: string): KeyValueStorage {
  const fileOf = (key: string): string => {
    if (!KEY.test(key) || key.startsWith('.'))
      throw new TypeError(`storage key "${key}" must match ${KEY.source}`);
    return join(directory, key);
  };
  /** One write at a time: the last value of a key wins, and temporary names do not collide. */
  let writing: Promise<unknown> = Promise.resolve();
  return {
    get: (key) => orUndefined(readFile(fileOf(key), 'utf8')),
    set: async (key, value) => {
      const file = fileOf(key);
      const write = writing.then(() => writeAtomically(directory, file, value));
      writing = write.catch(() => undefined); // the caller hears of it
      await write;
    },
    delete: (key) => rm(fileOf(key), { force: true }),
  };
}

async function writeAtomically(directory: string, file: string, value: string): Promise<void> {
  const temporary = `${file}.${String(process.pid)}.tmp`;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    await writeFile(temporary, value, { mode: 0o600, flush: true });
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first failure is the one to tell
    throw new FabricError('internal', `Cannot write ${file}: ${(cause as Error).message}.`, { cause });
  }
}

async function orUndefined(reading: Promise<string>): Promise<string | undefined> {
  try {
    return await reading;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FabricError('internal', `Cannot read stored value: ${(cause as Error).message}.`, { cause });
  }
}
