/**
 * The store of browsers: one IndexedDB database, shared by the tabs and workers of an origin. All commits asked for
 * until a transaction gets its turn share it (group commit), so the disk is waited for once, however many there are.
 * Opening, layout and errors: `indexeddb-database.ts`; notice between tabs: `indexeddb-notices.ts`.
 */
import type { FabricError } from '../message/error.ts';
import { systemClock, type Clock } from '../platform/clock.ts';
import { abort, completionOf, databaseError, databaseLost, databaseName, madeWay, openDatabase, parts, resultOf, type Part } from './indexeddb-database.ts'; // prettier-ignore
import { Notices } from './indexeddb-notices.ts';
import { carryOut, Jobs, type Job, type Turn, type WaitingJob } from './job.ts';
import { checkKey, limitOf, Page, storeClosed, type ChangeListener, type Entry, type Lease, type LeaseRequest, type Range, type Store, type Write } from './store.ts'; // prettier-ignore
import { Watchers } from './watchers.ts';

/** What an IndexedDB store is made of. */
export interface IndexedDbStoreOptions {
  /** Name of the database; stores of one origin with the same name are the same. */
  readonly name: string;
  readonly clock?: Clock;
  /** Default: the browser's own. */
  readonly indexedDB?: IDBFactory;
  /** How long opening waits for tabs that hold another version. Default 10 s. */
  readonly openTimeoutMs?: number;
}

/**
 * Opens an IndexedDB store, in a page or a worker. What it acknowledged survives a power cut, with two exceptions:
 * - The browser may remove all data of a site that it was not asked to keep: `navigator.storage.persist()`.
 * - Chromium may remove them after a crash in the middle of a write when it ends once more before a store has been
 *   opened (ADR 9). Whoever opens a database of the origin first hears of it, here as `internal`.
 *
 * It makes way for a newer version of itself: then calls fail with `closed`. When the browser closes the database by
 * itself, as it does when site data are cleared, calls fail with `storage`. Watchers are told both times.
 * @throws FabricError `unsupported` (no IndexedDB, or data of a newer version), `invalid` (another program's database),
 * `internal` (data removed as damaged; opened again it is empty), `storage` (cannot be opened, or held for too long)
 */
export async function createIndexedDbStore(options: IndexedDbStoreOptions): Promise<Store> {
  const { name, clock = systemClock, indexedDB = globalThis.indexedDB, openTimeoutMs = 10_000 } = options;
  const database = await openDatabase({ name, clock, indexedDB, openTimeoutMs });
  const store = new DatabaseStore(database, clock);
  await store.join();
  return store;
}

/** Sorts before all keys, and is none. */
const NO_KEY = '';

class DatabaseStore implements Store {
  readonly name: string;
  readonly durability = 'strict';
  readonly #database: IDBDatabase;
  readonly #jobs: Jobs;
  readonly #watchers = new Watchers();
  readonly #notices: Notices;
  #queue: WaitingJob[] = [];
  #flushing: Promise<void> | undefined;
  /** Why calls are refused. */
  #ended: (() => FabricError) | undefined;
  #closing: Promise<void> | undefined;

  constructor(database: IDBDatabase, clock: Clock) {
    this.name = databaseName(database.name);
    this.#database = database;
    this.#jobs = new Jobs(this.name, clock);
    this.#notices = new Notices(database.name, {
      clock,
      settled: () => resultOf(database.transaction('values').objectStore('values').getKey(NO_KEY)),
      listener: (keys) => this.#watchers.tell(keys),
    });
    database.onversionchange = ({ newVersion }) => this.#end(() => madeWay(this.name, newVersion));
    database.onclose = () => this.#end(() => databaseLost(this.name));
  }

  /** Resolves when no change of others is missed any more. */
  join(): Promise<void> {
    return this.#notices.joined(this.#database.name);
  }

  async get(key: string): Promise<string | undefined> {
    checkKey(key);
    return this.#read('values', (values) => textIn(values, key));
  }

  async range(range: Range): Promise<readonly Entry[]> {
    const page = new Page(limitOf(range));
    const { from = '', to, reverse = false } = range;
    return this.#read('values', async (values) => {
      // IndexedDB takes no range without room for a key.
      if (to !== undefined && from >= to) return [];
      const query =
        to === undefined ? IDBKeyRange.lowerBound(from) : IDBKeyRange.bound(from, to, false, true);
      const request = values.openCursor(query, reverse ? 'prev' : 'next');
      for (let cursor = await resultOf(request); cursor; cursor = await resultOf(request)) {
        if (!page.add({ key: cursor.key as string, value: cursor.value as string })) break;
        cursor.continue();
      }
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
    return this.#read('leases', async (leases) => this.#jobs.holderOf(name, await textIn(leases, name)));
  }

  watch(prefix: string, listener: ChangeListener): () => void {
    this.#checkOpen();
    return this.#watchers.add(prefix, listener);
  }

  close(): Promise<void> {
    this.#ended ??= () => storeClosed(this.name);
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#watchers.clear();
    await this.#flushing;
    this.#notices.close();
    this.#database.close();
  }

  /** The end that nobody here has asked for. */
  #end(why: () => FabricError): void {
    if (this.#ended) return;
    this.#ended = why;
    this.#watchers.tell(undefined);
    void this.close();
  }

  #checkOpen(): void {
    if (this.#ended) throw this.#ended();
  }

  /** Reads in one transaction. `read` waits for nothing but requests to it: else the transaction ends. */
  async #read<T>(part: Part, read: (part: IDBObjectStore) => Promise<T>): Promise<T> {
    this.#checkOpen();
    try {
      return await read(this.#database.transaction(part).objectStore(part));
    } catch (caught) {
      throw databaseError(caught, this.name);
    }
  }

  async #enqueue<T>(job: Job<T>): Promise<T> {
    this.#checkOpen();
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ ...job, resolve, reject } as WaitingJob);
      this.#flushing ??= this.#flushAll();
    });
  }

  async #flushAll(): Promise<void> {
    while (this.#queue.length > 0) await this.#flush();
    this.#flushing = undefined;
  }

  /** One transaction for all that waits when it gets its turn. Tells everybody; never throws. */
  async #flush(): Promise<void> {
    let jobs: readonly WaitingJob[] | undefined;
    try {
      const transaction = this.#database.transaction(parts, 'readwrite', { durability: 'strict' });
      const completed = completionOf(transaction);
      try {
        await resultOf(transaction.objectStore('leases').getKey(NO_KEY));
        jobs = this.#takeQueue();
        const done = carryOut(jobs, await turnOf(transaction, jobs));
        if (done.changed.length > 0) this.#notices.give(done.changed);
        transaction.commit();
        await completed;
        for (const settle of done.settle) settle();
        if (done.changed.length > 0) this.#watchers.tell(done.changed);
      } catch (caught) {
        abort(transaction);
        await completed.catch(() => undefined);
        // Requests under way only hear that the transaction was aborted; it knows why.
        throw transaction.error ?? caught;
      }
    } catch (caught) {
      const error = databaseError(caught, this.name);
      for (const { reject } of jobs ?? this.#takeQueue()) reject(error);
    }
  }

  #takeQueue(): readonly WaitingJob[] {
    const jobs = this.#queue;
    this.#queue = [];
    return jobs;
  }
}

const textIn = (part: IDBObjectStore, key: string): Promise<string | undefined> =>
  resultOf(part.get(key) as IDBRequest<string | undefined>);

/** Reads all leases that the jobs look at: jobs wait for nothing. */
async function turnOf(transaction: IDBTransaction, jobs: readonly Job[]): Promise<Turn> {
  const [values, leases] = [transaction.objectStore('values'), transaction.objectStore('leases')];
  const names = [...new Set(jobs.flatMap((job) => job.leases))];
  const texts = await Promise.all(names.map((name) => textIn(leases, name)));
  const records = new Map(names.map((name, index) => [name, texts[index]]));
  return {
    leases: {
      get: (name) => records.get(name),
      set: (name, record) => {
        records.set(name, record);
        leases.put(record, name);
      },
    },
    write: ({ key, value }) => (value === null ? values.delete(key) : values.put(value, key)),
  };
}
