/** The key with which an account signs what it publishes, in a file that its owner alone can read. */
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FabricError } from '@hyperty/runtime';
import { createPublisherKey, type PublisherKey } from '@hyperty/runtime/catalogue';
import type { RuntimeLease } from '../runtime-session.ts';
import { storePlaceOf } from '../store-place.ts';
import { makeFolder } from '../world/folder.ts';

/** The folder where this machine keeps things of the account behind a session. Not made yet. */
export const accountFolderOf = (lease: Pick<RuntimeLease, 'session' | 'memoryFolder'>): string =>
  lease.memoryFolder === undefined ? dirname(storePlaceOf(lease, 'any')) : dirname(lease.memoryFolder);

/** A key and where it is. */
export interface KeptKey extends PublisherKey {
  readonly file: string;
  /** True when it has just been made. */
  readonly isNew: boolean;
}

const fileIn = (folder: string): string => join(folder, 'publisher-key.json');

/**
 * The key in the account's folder, made when there is none.
 * @throws FabricError `invalid` for a damaged one, which is left as it is
 */
export async function keepPublisherKey(folder: string): Promise<KeptKey> {
  const file = fileIn(folder);
  const kept = await readKey(file);
  if (kept) return { ...kept, file, isNew: false };
  await makeFolder(folder);
  const temporary = await writePrivately(file, await createPublisherKey());
  try {
    await link(temporary, file); // unlike renaming, it never takes the place of a key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  const made = await readKey(file);
  if (made) return { ...made, file, isNew: true };
  throw new FabricError('not-found', `${file} has just been removed by somebody else.`);
}

/**
 * Puts a new key in the place of an old one, once `agreed` with it; the old one stays beside it with the ending `.old`.
 * A next one that was made before, and of which nobody knows whether it was agreed, is used again.
 */
export async function replacePublisherKey(
  folder: string,
  agree: (next: PublisherKey, old: PublisherKey) => Promise<void>,
): Promise<KeptKey> {
  const file = fileIn(folder);
  const old = await readKey(file);
  if (!old) throw new FabricError('not-found', `There is no key ${file} to replace.`);
  const waiting = `${file}.next`;
  const next = (await readKey(waiting)) ?? (await createPublisherKey());
  const temporary = await writePrivately(waiting, next);
  await rename(temporary, waiting); // before the catalogue knows it: it must not be lost
  await agree(next, old);
  await rename(await writePrivately(`${file}.old`, old), `${file}.old`);
  await rename(waiting, file);
  return { ...next, file, isNew: true };
}

async function writePrivately(file: string, { publicKey, privateKey }: PublisherKey): Promise<string> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const text = `${JSON.stringify({ publicKey, privateKey }, null, 2)}\n`;
  await writeFile(temporary, text, { mode: 0o600, flag: 'wx', flush: true });
  return temporary;
}

async function readKey(file: string): Promise<PublisherKey | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FabricError('invalid', `The publisher's key ${file} cannot be read.`, { cause: error });
  });
  if (text === undefined) return undefined;
  const { publicKey, privateKey } = parse(text);
  if (typeof publicKey === 'string' && typeof privateKey === 'string') return { publicKey, privateKey };
  throw new FabricError('invalid', `${file} holds no publisher's key; bring it back from a backup.`);
}

function parse(text: string): { readonly publicKey?: unknown; readonly privateKey?: unknown } {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
