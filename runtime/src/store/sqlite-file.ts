/**
 * The file of a SQLite store: opening with all checks, what its errors mean, and copying it while it is in use.
 * Write-ahead log with `synchronous=FULL`: what was acknowledged survives a power cut.
 */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
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
 * `unsupported` (made by a newer version)
 */
export function openFile(path: string): DatabaseSync {
  const file = resolve(path);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    database = new DatabaseSync(file, { timeout: BUSY_MS });
    checkOurs(database, file);
    chmodSync(file, 0o600);
    prepare(database);
    return database;
  } catch (caught) {
    database?.close();
    throw fileError(caught, file);
  }
}

/** Nothing is changed in a file that is not ours to change. */
function checkOurs(database: DatabaseSync, file: string): void {
  const found = pragma(database, 'application_id');
  const format = pragma(database, 'user_version');
  const isEmpty = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] === 0;
  if (found !== APPLICATION_ID && !isEmpty)
    throw new FabricError('invalid', `${file} is a SQLite file of another program; name another file.`);
  if (format > FORMAT) {
    const text = `${file} was written by a newer version (format ${format}, this one knows ${FORMAT}). Update the fabric; nothing was changed.`;
    throw new FabricError('unsupported', text, { details: { file, format } });
  }
  const [verdict] = Object.values(database.prepare('PRAGMA integrity_check(1)').get() ?? {});
  if (verdict !== 'ok') throw damaged(file, String(verdict).replaceAll(/\s+/g, ' '));
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
 * Copies an open store into a new file, complete as of one moment, while it goes on being used.
 * @returns size of the copy in bytes
 * @throws FabricError `conflict` when `target` exists, `storage` when it cannot be written
 */
export async function backUp(database: DatabaseSync, target: string): Promise<number> {
  const file = resolve(target);
  if ([file, `${file}-wal`].some((path) => existsSync(path)))
    throw new FabricError('conflict', `${file} exists already; name a new file for the backup.`);
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    await backup(database, temporary);
    openFile(temporary).close(); // checks what was written, and folds its log into it
    renameSync(temporary, file);
    return statSync(file).size;
  } catch (caught) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(temporary + suffix, { force: true });
    throw fileError(caught, file);
  }
}

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
  if (result === RESULT.readOnly || code === 'EROFS' || code === 'EACCES')
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
  const text = `${file} is damaged (${verdict}). Stop the runtime, move the file and its -wal away, and put a backup in its place ("hyperty store backup" makes one).`;
  return new FabricError('internal', text, { details: { file, damaged: true }, cause });
}

function resultOf(error: unknown): number | undefined {
  const errcode = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}
