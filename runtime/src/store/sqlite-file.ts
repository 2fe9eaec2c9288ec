/**
 * The file of a SQLite store: opening with all checks, what its errors mean, and copying it while it is in use.
 * Write-ahead log with `synchronous=FULL`: what was acknowledged survives a power cut.
 */
import { closeSync, existsSync, linkSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { EPOCH_KEY } from './store.ts';
import { FabricError } from '../message/error.ts';

/** Marks a SQLite file as one of ours ("HYPT"). */
const APPLICATION_ID = 0x48_59_50_54;
/** Layout of the tables that this code reads and writes; see {@link MIGRATIONS}. */
const FORMAT = 1;

/** From format n to n + 1, inside one transaction. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE leases (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
];

/** Longest wait for another process's transaction inside one call; it blocks, so it is short. Repeated by the store. */
const BUSY_MS = 50;

/** SQLite's primary result codes (https://sqlite.org/rescode.html). */
const RESULT = { busy: 5, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 };

/** True when another process held the file for too long; trying again helps. */
export const isBusy = (error: unknown): boolean => resultOf(error) === RESULT.busy;

/**
 * Opens the file, creating it when there is none, and checks its integrity.
 * @throws FabricError `storage` (cannot be read or written), `internal` (damaged), `invalid` (no store of ours),
 * `unsupported` (made by a newer version), `not-found` (none there, and it must exist)
 */
export function openFile(path: string, { mustExist = false } = {}): DatabaseSync {
  const file = resolve(path);
  let database: DatabaseSync | undefined;
  try {
    if (!mustExist) makeFile(file);
    else if (!existsSync(file) || statSync(file).size === 0)
      throw new FabricError('not-found', `There is no store at ${file}.`);
    database = new DatabaseSync(file, { timeout: BUSY_MS });
    checkOurs(database, file, mustExist);
    prepare(database);
    return database;
  } catch (caught) {
    database?.close();
    throw fileError(caught, file);
  }
}

/** SQLite would make it readable for everybody; one that is there keeps its mode. */
function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
}

/** Nothing is changed in a file that is not ours to change. */
function checkOurs(database: DatabaseSync, file: string, mustExist: boolean): void {
  const count = (where: string): unknown =>
    database.prepare(`SELECT count(*) AS n FROM sqlite_schema ${where}`).get()?.['n'];
  const format = pragma(database, 'user_version');
  const isNew = pragma(database, 'application_id') === 0 && format === 0 && count('') === 0;
  if (isNew && !mustExist) return;
  if (pragma(database, 'application_id') !== APPLICATION_ID)
    throw new FabricError('invalid', `${file} is a SQLite file of another program; name another file.`);
  if (format > FORMAT) {
    const text = `${file} was written by a newer version (format ${format}, this one knows ${FORMAT}). Update the fabric; nothing was changed.`;
    throw new FabricError('unsupported', text, { details: { file, format } });
  }
  const [verdict] = Object.values(database.prepare('PRAGMA integrity_check(1)').get() ?? {});
  if (verdict !== 'ok') throw damaged(file, String(verdict).replaceAll(/\s+/g, ' '));
  if (count("WHERE name IN ('entries', 'leases')") !== 2) throw damaged(file, 'its tables are missing');
}

function prepare(database: DatabaseSync): void {
  for (const setting of [
    'journal_mode = WAL',
    'synchronous = FULL',
    'fullfsync = 1',
    'checkpoint_fullfsync = 1',
  ])
    database.exec(`PRAGMA ${setting}`);
  if (pragma(database, 'user_version') < FORMAT) migrate(database);
}

/** Another process may be at it too: who comes second finds it done. */
function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  for (const step of MIGRATIONS.slice(pragma(database, 'user_version'))) database.exec(step);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}; COMMIT`);
}

const pragma = (database: DatabaseSync, name: string): number =>
  Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);

/**
 * Copies a store into a new file, complete as of one moment, while it goes on being used: over a connection of its
 * own and in one step, so that commits neither wait for it nor make it begin again.
 * @returns size of the copy in bytes
 * @throws FabricError `conflict` when `target` or a log beside it exists, `storage` when it cannot be written
 */
export async function backUp(source: string, target: string): Promise<number> {
  const file = resolve(target);
  // SQLite would take the log of a former file of this name for the copy's.
  const there = LOGS.map((suffix) => file + suffix).find((path) => existsSync(path));
  if (there !== undefined) throw taken(there);
  const temporary = `${file}.${crypto.randomUUID()}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(temporary, 'wx', 0o600));
    const reader = new DatabaseSync(source, { readOnly: true, timeout: BUSY_MS });
    await backup(reader, temporary, { rate: ALL_PAGES }).finally(() => reader.close());
    const copy = openFile(temporary, { mustExist: true }); // checks what was written
    copy.prepare('DELETE FROM entries WHERE key = ?').run(EPOCH_KEY);
    copy.close();
    linkSync(temporary, file);
    return statSync(file).size;
  } catch (caught) {
    throw (caught as NodeJS.ErrnoException).code === 'EEXIST' ? taken(file) : fileError(caught, file);
  } finally {
    for (const suffix of LOGS) rmSync(temporary + suffix, { force: true });
  }
}

/** The file itself, and what SQLite puts beside it. */
const LOGS = ['', '-wal', '-shm', '-journal'];
/** More pages than a file can have. */
const ALL_PAGES = 2 ** 31 - 1;

const taken = (file: string): FabricError =>
  new FabricError('conflict', `${file} exists already; name a new file for the backup.`);

/** What went wrong with `file`, and what to do about it. */
export function fileError(caught: unknown, file: string): FabricError {
  if (caught instanceof FabricError) return caught;
  const cause = caught as NodeJS.ErrnoException;
  const result = resultOf(caught);
  if (result === RESULT.corrupt || result === RESULT.notADatabase)
    return damaged(file, cause.message, caught);
  return new FabricError('storage', `${file}: ${adviceFor(result, cause)}`, {
    cause: caught,
    details: { file, reason: cause.message },
  });
}

function adviceFor(result: number | undefined, { code, message }: NodeJS.ErrnoException): string {
  if (result === RESULT.full || code === 'ENOSPC')
    return 'the disk is full. Nothing acknowledged is lost; make room, and it goes on.';
  if (result === RESULT.readOnly || code === 'EROFS' || code === 'EACCES' || code === 'EPERM')
    return 'the file or its folder cannot be written. Check permissions and whether the disk is mounted read-only.';
  if (result === RESULT.cantOpen)
    return `the file cannot be opened (${message}). Check that its folder exists and belongs to you.`;
  if (result === RESULT.busy)
    return 'another process has kept the file locked for too long. Look for a program that holds it open.';
  if (result === RESULT.ioError)
    return `the disk failed or is full (${message}). Check it; nothing was acknowledged.`;
  return `the store failed: ${message}.`;
}

function damaged(file: string, verdict: string, cause?: unknown): FabricError {
  const text = `${file} is damaged or no store (${verdict}). If it was one, stop the runtime, move the file and its -wal away, and put a backup in its place ("hyperty store backup" makes one).`;
  return new FabricError('internal', text, { details: { file, damaged: true }, cause });
}

function resultOf(error: unknown): number | undefined {
  const errcode = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}
