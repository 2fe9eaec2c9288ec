/**
 * The store of browsers: one IndexedDB database, shared by the tabs and workers of an origin. All commits asked for
 * until a transaction gets its turn share it (group commit), so the disk is waited for once, however many there are.
 * Opening, layout and errors: `indexeddb-database.ts`; notice between tabs: `indexeddb-notices.ts`.
 */
import { FabricError } from '../message/error.ts';
import { systemClock, type Clock } from '../platform/clock.ts';
import { abort, completionOf, databaseError, databaseLost, databaseName, madeWay, openDatabase, parts, resultOf, type Part } from './indexeddb-database.ts'; // prettier-ignore
import { Notices } from './indexeddb-notices.ts';
import { holds, LeaseObserver, parseLease, released, type LeaseRecord } from './lease-record.ts';
import { batchOf, checkKey, checkLease, fencedOff, limitOf, storeClosed, type ChangeListener, type Entry, type Lease, type LeaseRequest, type Range, type Store, type Write } from './store.ts'; // prettier-ignore
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

/** One piece of a transaction. `work` throws a FabricError before it has changed anything, or not at all. */
interface Job<T = unknown> {
  /** Leases that `work` looks at. */
  readonly names: readonly string[];
  readonly work: (turn: Turn) => T;
  readonly resolve: (value: T) => void;
  readonly reject: (error: FabricError) => void;
  readonly keys: readonly string[];
}

/** A transaction as jobs see it. */
interface Turn {
  readonly values: IDBObjectStore;
  readonly leases: IDBObjectStore;
  /** Those that the jobs have named, kept up to date. */
  readonly records: Map<string, LeaseRecord>;
}

/** Sorts before all keys, and is none. */
const NO_KEY = '';

class DatabaseStore implements Store {
  readonly name: string;
  readonly durability = 'strict';
  readonly #database: IDBDatabase;
  readonly #clock: Clock;
  readonly #observer = new LeaseObserver();
  readonly #watchers = new Watchers();
  readonly #notices: Notices;
  #queue: Job[] = [];
  #flushing: Promise<void> | undefined;
  /** Why calls are refused. */
  #ended: (() => FabricError) | undefined;
  #closing: Promise<void> | undefined;

  constructor(database: IDBDatabase, clock: Clock) {
    this.name = databaseName(database.name);
    this.#database = database;
    this.#clock = clock;
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
    return this.#read('values', (values) => resultOf(values.get(key) as IDBRequest<string | undefined>));
  }

  async range(range: Range): Promise<readonly Entry[]> {
    const limit = limitOf(range);
    const { from = '', to, reverse = false } = range;
    return this.#read('values', async (values) => {
      // IndexedDB takes no range without room for a key.
      if (to !== undefined && from >= to) return [];
      const query = (first: string): IDBKeyRange =>
        to === undefined ? IDBKeyRange.lowerBound(first) : IDBKeyRange.bound(first, to, false, true);
      const first = reverse ? await firstOfLast(values, query(from), limit) : undefined;
      const asked = query(first ?? from);
      const [keys, texts] = await Promise.all([
        resultOf(values.getAllKeys(asked, limit) as IDBRequest<string[]>),
        resultOf(values.getAll(asked, limit) as IDBRequest<string[]>),
      ]);
      const entries = keys.map((key, index) => ({ key, value: texts[index] ?? '' }));
      return reverse ? entries.reverse() : entries;
    });
  }

  async commit(given: readonly Write[], leases: readonly Lease[] = []): Promise<void> {
    const { writes, fences } = batchOf(given, leases);
    const work = ({ values, records }: Turn): void => {
      const lost = fences.find((lease) => !holds(lease, records.get(lease.name)));
      if (lost) throw fencedOff(lost, this.name);
      for (const { key, value } of writes) {
        if (value === null) values.delete(key);
        else values.put(value, key);
      }
    };
    const keys = writes.map(({ key }) => key);
    await this.#enqueue(work, { names: fences.map(({ name }) => name), keys });
  }

  async acquire(name: string, request: LeaseRequest): Promise<Lease | undefined> {
    checkLease(name, request);
    const work = (turn: Turn): Lease | undefined => {
      const now = this.#clock.now();
      const granted = this.#observer.decide(name, request, { record: turn.records.get(name), now });
      if (!granted) return undefined;
      putLease(turn, name, granted);
      return { name, holder: request.holder, token: granted.token };
    };
    return this.#enqueue(work, { names: [name] });
  }

  async release(lease: Lease): Promise<void> {
    const { name } = lease;
    const work = (turn: Turn): void => {
      const record = turn.records.get(name);
      if (record && holds(lease, record)) putLease(turn, name, released(record));
    };
    await this.#enqueue(work, { names: [name] });
  }

  async holderOf(name: string): Promise<string | undefined> {
    return this.#read('leases', async (leases) => (await leaseIn(leases, name))?.holder || undefined);
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

  async #enqueue<T>(
    work: (turn: Turn) => T,
    { names, keys = [] }: { readonly names: readonly string[]; readonly keys?: readonly string[] },
  ): Promise<T> {
    this.#checkOpen();
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ names, work, resolve, reject, keys } as Job);
      this.#flushing ??= this.#flushAll();
    });
  }

  async #flushAll(): Promise<void> {
    while (this.#queue.length > 0) await this.#flush();
    this.#flushing = undefined;
  }

  /** One transaction for all that waits when it gets its turn. Tells everybody; never throws. */
  async #flush(): Promise<void> {
    let jobs: readonly Job[] | undefined;
    try {
      const transaction = this.#database.transaction(parts, 'readwrite', { durability: 'strict' });
      const completed = completionOf(transaction);
      try {
        const leases = transaction.objectStore('leases');
        await resultOf(leases.getKey(NO_KEY));
        jobs = this.#takeQueue();
        const records = await readLeases(leases, new Set(jobs.flatMap(({ names }) => names)));
        const values = transaction.objectStore('values');
        const done = carryOut(jobs, { values, leases, records });
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

  #takeQueue(): readonly Job[] {
    const jobs = this.#queue;
    this.#queue = [];
    return jobs;
  }
}

/** Carries out all jobs within one transaction; returns how each is told once it is durable. */
function carryOut(
  jobs: readonly Job[],
  turn: Turn,
): { readonly changed: readonly string[]; readonly settle: readonly (() => void)[] } {
  const changed: string[] = [];
  const settle = jobs.map(({ work, resolve, reject, keys }) => {
    try {
      const value = work(turn);
      for (const key of keys) changed.push(key);
      return () => resolve(value);
    } catch (caught) {
      if (caught instanceof FabricError) return () => reject(caught);
      throw caught;
    }
  });
  return { changed, settle };
}

/** First key of the last `limit` entries; undefined when there are no more than that. */
async function firstOfLast(
  values: IDBObjectStore,
  query: IDBKeyRange,
  limit: number,
): Promise<string | undefined> {
  const request = values.openKeyCursor(query, 'prev');
  const last = await resultOf(request);
  if (last && limit > 1) last.advance(limit - 1);
  return (limit > 1 && last ? await resultOf(request) : last)?.key as string | undefined;
}

async function leaseIn(leases: IDBObjectStore, name: string): Promise<LeaseRecord | undefined> {
  const text = await resultOf(leases.get(name) as IDBRequest<string | undefined>);
  return text === undefined ? undefined : parseLease(text);
}

async function readLeases(
  leases: IDBObjectStore,
  names: ReadonlySet<string>,
): Promise<Map<string, LeaseRecord>> {
  const read = [...names].map(async (name) => [name, await leaseIn(leases, name)] as const);
  const found = await Promise.all(read);
  return new Map(found.flatMap(([name, record]) => (record ? [[name, record] as const] : [])));
}

function putLease({ leases, records }: Turn, name: string, record: LeaseRecord): void {
  records.set(name, record);
  leases.put(JSON.stringify(record), name);
}
