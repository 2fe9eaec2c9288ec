/**
 * `hyperty store`: looks after the file in which a runtime keeps what must outlive it.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FabricError } from '@hyperty/runtime';
import type { SqliteStore } from '@hyperty/runtime/node';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';

/**
 * Checks the file's integrity and counts what is in it. With `json` it prints `{file, bytes, entries}`; `bytes` is the
 * file's size without its log.
 * @throws FabricError `not-found storage internal …`
 */
export async function checkStore(
  file: string,
  options: { json?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const report = await withStore(file, async (store, path) => ({
    file: path,
    bytes: (await stat(path)).size,
    entries: await countEntries(store),
  }));
  if (options.json === true) terminal.print(JSON.stringify(report, null, 2));
  else terminal.print(`${report.file} is sound: ${report.entries} entries, ${megabytes(report.bytes)}.`);
  return exitCodes.ok;
}

/**
 * Copies a store into a new file while its runtime goes on; of a folder, as "hyperty services" keeps one, every store in it into a
 * new folder, each complete as of one moment.
 * @throws FabricError `not-found conflict storage …`
 */
export async function backUpStore(source: string, target: string, terminal: Terminal): Promise<ExitCode> {
  await copyStores(source, target, (copy, file, bytes) => {
    terminal.print(`${copy} holds a copy of ${file} (${megabytes(bytes)}), checked.`);
  });
  return exitCodes.ok;
}

/**
 * Puts a backup, a file or a folder of them, in the place of stores that are not there any more.
 * @throws FabricError `conflict` when there still is a store: move it away first, nothing is overwritten; `not-found storage …`
 */
export async function restoreStore(backup: string, target: string, terminal: Terminal): Promise<ExitCode> {
  await copyStores(backup, target, (copy, file, bytes) => {
    terminal.print(`${copy} is restored from ${file} (${megabytes(bytes)}), checked.`);
  });
  const text =
    'what happened after the backup is unknown to it; others are told so when they speak with it again';
  terminal.printProgress({ kind: 'note', text });
  return exitCodes.ok;
}

async function copyStores(
  source: string,
  target: string,
  copied: (copy: string, file: string, bytes: number) => void,
): Promise<void> {
  const isFolder = (await stat(resolve(source)).catch(() => undefined))?.isDirectory() === true;
  if (!isFolder) {
    copied(resolve(target), resolve(source), await withStore(source, (store) => store.backUp(target)));
    return;
  }
  const names = (await readdir(source)).filter((name) => name.endsWith('.db'));
  if (names.length === 0)
    throw new FabricError('not-found', `There is no store (*.db) in ${resolve(source)}.`);
  for (const name of names) {
    const [file, copy] = [join(resolve(source), name), join(resolve(target), name)];
    copied(copy, file, await withStore(file, (store) => store.backUp(copy)));
  }
}

async function withStore<T>(file: string, use: (store: SqliteStore, path: string) => Promise<T>): Promise<T> {
  const path = resolve(file);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new FabricError('not-found', `There is no store at ${path}.`);
  const { createSqliteStore } = await import('@hyperty/runtime/node');
  const store = await createSqliteStore({ file: path, mustExist: true });
  try {
    return await use(store, path);
  } finally {
    await store.close();
  }
}

async function countEntries(store: SqliteStore): Promise<number> {
  let entries = 0;
  for (let from = ''; ;) {
    const page = await store.range({ from });
    entries += page.length;
    if (page.length === 0) return entries;
    from = `${page.at(-1)?.key ?? ''} `; // a space sorts before every character of a key
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
