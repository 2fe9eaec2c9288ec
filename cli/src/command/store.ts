/**
 * `hyperty store`: looks after the file in which a runtime keeps what must outlive it.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
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

/** Copies the store into a new file while its runtime goes on. @throws FabricError `not-found conflict storage …` */
export async function backUpStore(file: string, target: string, terminal: Terminal): Promise<ExitCode> {
  const bytes = await withStore(file, (store) => store.backUp(target));
  terminal.print(`${resolve(target)} holds a copy of ${resolve(file)} (${megabytes(bytes)}), checked.`);
  return exitCodes.ok;
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
