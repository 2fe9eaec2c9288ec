/**
 * The store of Node.js runtimes: one SQLite file. Commits asked for in one turn of the event loop share one
 * transaction (group commit), so the disk is waited for once, however many there are. Calls block while SQLite works:
 * about as long as the disk takes to flush. Several processes may open one file.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { FabricError } from '../message/error.ts';
import { delay, systemClock, type Clock } from '../platform/clock.ts';
import { carryOut, Jobs, type Job, type Turn, type WaitingJob } from './job.ts';
import { backUp, fileError, isBusy, openFile } from './sqlite-file.ts';
import { checkKey, limitOf, Page, storeClosed, type ChangeListener, type Entry, type Lease, type LeaseRequest, type Range, type Store, type Write } from './store.ts'; // prettier-ignore
import { Watchers } from './watchers.ts';

/** What a SQLite store is made of. */
export interface SqliteStoreOptions {
  /** Path of the file; it and its folder are made, readable for their owner alone. */
  readonly file: string;
  /** Refuses with `not-found` where there is no store yet, instead of making one. Default: false. */
  readonly mustExist?: boolean;
  readonly clock?: Clock;
  /** How often changes of other processes are looked for while somebody watches. Default 100 ms. */
  readonly pollMs?: number;
  /** How long a commit waits for other processes that hold the file. Default 10 s. */
  readonly busyTimeoutMs?: number;
}

/** A store in a file. */
export interface SqliteStore extends Store {
  /**
   * Copies the store into a new file, complete as of one moment, while it goes on being used.
   * @returns size of the copy in bytes
   * @throws FabricError `conflict` when `target` exists, `storage` when it cannot be written, `closed`
   */
  backUp(target: string): Promise<number>;
}

/** Opens the store in a file and checks it. @throws FabricError `storage internal invalid unsupported not-found` */
export async function createSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const settings = { clock: systemClock, mustExist: false, pollMs: 100, busyTimeoutMs: 10_000, ...options };
  for (const until = performance.now() + settings.busyTimeoutMs; ;) {
    try {
      return new FileStore(openFile(options.file, options), settings);
    } catch (caught) {
      // Another process may be making the file just now.
      if (!isBusy(FabricError.from(caught).cause) || performance.now() > until) throw caught;
      await delay(systemClock, RETRY_MS);
    }
  }
}

const RETRY_MS = 10;

class FileStore implements SqliteStore {
  readonly name: string;
  readonly durability = 'strict';
  readonly #database: DatabaseSync;
  readonly #options: Required<SqliteStoreOptions>;
  readonly #sql: Statements;
  readonly #jobs: Jobs;
  readonly #turn: Turn;
  readonly #watchers = new Watchers();
  #queue: WaitingJob[] = [];
  #scheduled = false;
  #busySince: number | undefined;
  #version = 0;
  #polling: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(database: DatabaseSync, options: Required<SqliteStoreOptions>) {
    this.name = `the store ${options.file}`;
    this.#options = options;
    this.#database = database;
    this.#sql = prepareAll(database);
    this.#turn = turnOf(this.#sql);
    this.#jobs = new Jobs(this.name, options.clock);
  }

  async get(key: string): Promise<string | undefined> {
    checkKey(key);
    return this.#read(() => this.#sql.get.get(key)?.['value'] as string | undefined);
  }

  async range(range: Range): Promise<readonly Entry[]> {
    const limit = limitOf(range);
    const { from = '', to = '\x7f', reverse = false } = range;
    const statement = reverse ? this.#sql.backwards : this.#sql.forwards;
    return this.#read(() => {
      const page = new Page(limit);
      for (const row of statement.iterate(from, to, limit)) if (!page.add(row as unknown as Entry)) break;
      return page.entries;
    });
  }

  async commit(writes: readonly Write[], leases?: readonly Lease[]): Promise<void> {
    await this.#enqueue(this.#jobs.commit(writes, leases));
  }

  async acquire(name: string, request: LeaseRequest): Promise<Lease | undefined> {
    return this.#enqueue(this.#jobs.acquire(name, request));
  }

  async release(lease: Lease): Promise<void> {
    await this.#enqueue(this.#jobs.release(lease));
  }

  async holderOf(name: string): Promise<string | undefined> {
    return this.#read(() => this.#jobs.holderOf(name, this.#turn.leases.get(name)));
  }

  watch(prefix: string, listener: ChangeListener): () => void {
    this.#checkOpen();
    if (this.#watchers.isEmpty) this.#version = this.#dataVersion();
    this.#polling ??= setInterval(() => this.#poll(), this.#options.pollMs).unref();
    const undo = this.#watchers.add(prefix, listener);
    return () => {
      undo();
      if (this.#watchers.isEmpty) this.#stopPolling();
    };
  }

  async backUp(target: string): Promise<number> {
    this.#checkOpen();
    return backUp(this.#options.file, target);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#stopPolling();
    this.#watchers.clear();
    if (this.#queue.length > 0) await new Promise<void>((idle) => (this.#idle = idle));
    this.#database.close();
  }

  #checkOpen(): void {
    if (this.#closing) throw storeClosed(this.name);
  }

  #read<T>(read: () => T): T {
    this.#checkOpen();
    try {
      return read();
    } catch (caught) {
      throw fileError(caught, this.#options.file);
    }
  }

  async #enqueue<T>(job: Job<T>): Promise<T> {
    this.#checkOpen();
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ ...job, resolve, reject } as WaitingJob);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  /** One transaction for all that waits. */
  #flush(): void {
    this.#scheduled = false;
    const jobs = this.#queue;
    let settle: readonly (() => void)[];
    try {
      settle = this.#transact(jobs);
      this.#busySince = undefined;
    } catch (caught) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      if (isBusy(caught) && this.#mayWait()) {
        this.#scheduled = true;
        setTimeout(() => this.#flush(), RETRY_MS);
        return;
      }
      this.#busySince = undefined;
      const error = fileError(caught, this.#options.file);
      settle = jobs.map(
        ({ reject }) =>
          () =>
            reject(error),
      );
    }
    this.#queue = this.#queue.slice(jobs.length);
    for (const tell of settle) tell();
    if (this.#queue.length > 0) this.#schedule();
    else this.#idle?.();
  }

  /** Carries out all jobs and commits; returns how each is told. */
  #transact(jobs: readonly WaitingJob[]): readonly (() => void)[] {
    this.#sql.begin.run();
    const { changed, settle } = carryOut(jobs, this.#turn);
    this.#sql.commit.run();
    if (changed.length === 0 || this.#watchers.isEmpty) return settle;
    return [...settle, () => this.#watchers.tell(changed)];
  }

  #mayWait(): boolean {
    const now = performance.now();
    this.#busySince ??= now;
    return now - this.#busySince < this.#options.busyTimeoutMs;
  }

  /** Changes with every commit of another connection (https://sqlite.org/pragma.html#pragma_data_version). */
  #dataVersion(): number {
    return Number(this.#sql.version.get()?.['data_version']);
  }

  #poll(): void {
    let version: number;
    try {
      version = this.#dataVersion();
    } catch {
      version = -1; // the file cannot be read: whoever looks is told why
    }
    if (version === this.#version) return;
    this.#version = version;
    this.#watchers.tell(undefined);
  }

  #stopPolling(): void {
    clearInterval(this.#polling);
    this.#polling = undefined;
  }
}

const SQL = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  get: 'SELECT value FROM entries WHERE key = ?',
  forwards: 'SELECT key, value FROM entries WHERE key >= ? AND key < ? ORDER BY key LIMIT ?',
  backwards: 'SELECT key, value FROM entries WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?',
  put: 'INSERT INTO entries VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  remove: 'DELETE FROM entries WHERE key = ?',
  getLease: 'SELECT record FROM leases WHERE name = ?',
  putLease: 'INSERT INTO leases VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET record = excluded.record',
  version: 'PRAGMA data_version',
} as const;

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

function prepareAll(database: DatabaseSync): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)] as const);
  return Object.fromEntries(prepared) as Statements;
}

const turnOf = (sql: Statements): Turn => ({
  leases: {
    get: (name) => sql.getLease.get(name)?.['record'] as string | undefined,
    set: (name, record) => sql.putLease.run(name, record),
  },
  write: ({ key, value }) => {
    if (value === null) sql.remove.run(key);
    else sql.put.run(key, value);
  },
});
