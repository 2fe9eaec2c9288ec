/** The store in memory: for tests, and for runtimes that need not remember. Nothing outlives the process. */
import { systemClock, type Clock } from '../platform/clock.ts';
import { holds, LeaseObserver, released, type LeaseRecord } from './lease-record.ts';
import { batchOf, checkKey, checkLease, fencedOff, limitOf, storeClosed, type Entry, type Lease, type LeaseRequest, type Range, type Store, type Write } from './store.ts'; // prettier-ignore
import { Watchers } from './watchers.ts';

/** What stores in memory share when they stand for several processes on one medium. */
export interface MemoryMedium {
  readonly values: Map<string, string>;
  readonly leases: Map<string, LeaseRecord>;
  readonly stores: Set<Watchers>;
}

/** Creates an empty medium; it outlives the stores that are opened on it. */
export const createMemoryMedium = (): MemoryMedium => ({
  values: new Map(),
  leases: new Map(),
  stores: new Set(),
});

/** What a store in memory is made of. */
export interface MemoryStoreOptions {
  /** Default: one of its own. */
  readonly medium?: MemoryMedium;
  readonly clock?: Clock;
}

/** Opens a store in memory. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const { medium = createMemoryMedium(), clock = systemClock } = options;
  return new MemoryStore(medium, clock);
}

class MemoryStore implements Store {
  readonly name = 'the store in memory';
  readonly durability = 'memory';
  readonly #medium: MemoryMedium;
  readonly #clock: Clock;
  readonly #observer = new LeaseObserver();
  readonly #watchers = new Watchers();
  #closed = false;

  constructor(medium: MemoryMedium, clock: Clock) {
    this.#medium = medium;
    this.#clock = clock;
    medium.stores.add(this.#watchers);
  }

  async get(key: string): Promise<string | undefined> {
    this.#checkOpen();
    checkKey(key);
    return this.#medium.values.get(key);
  }

  async range(range: Range): Promise<readonly Entry[]> {
    this.#checkOpen();
    const limit = limitOf(range);
    const { from = '', to, reverse = false } = range;
    const keys = [...this.#medium.values.keys()].filter(
      (key) => key >= from && (to === undefined || key < to),
    );
    keys.sort();
    if (reverse) keys.reverse();
    return keys.slice(0, limit).map((key) => ({ key, value: this.#medium.values.get(key) ?? '' }));
  }

  async commit(given: readonly Write[], leases: readonly Lease[] = []): Promise<void> {
    this.#checkOpen();
    const { writes, fences } = batchOf(given, leases);
    const { values, stores } = this.#medium;
    const lost = fences.find((lease) => !holds(lease, this.#medium.leases.get(lease.name)));
    if (lost) throw fencedOff(lost, this.name);
    for (const { key, value } of writes) {
      if (value === null) values.delete(key);
      else values.set(key, value);
    }
    const keys = writes.map(({ key }) => key);
    queueMicrotask(() => {
      for (const watchers of stores) watchers.tell(keys);
    });
  }

  async acquire(name: string, request: LeaseRequest): Promise<Lease | undefined> {
    this.#checkOpen();
    checkLease(name, request);
    const { leases } = this.#medium;
    const now = this.#clock.now();
    const granted = this.#observer.decide(name, request, { record: leases.get(name), now });
    if (!granted) return undefined;
    leases.set(name, granted);
    return { name, holder: request.holder, token: granted.token };
  }

  async release(lease: Lease): Promise<void> {
    this.#checkOpen();
    const record = this.#medium.leases.get(lease.name);
    if (record && holds(lease, record)) this.#medium.leases.set(lease.name, released(record));
  }

  async holderOf(name: string): Promise<string | undefined> {
    this.#checkOpen();
    return this.#medium.leases.get(name)?.holder || undefined;
  }

  watch(prefix: string, listener: (keys: readonly string[] | undefined) => void): () => void {
    this.#checkOpen();
    return this.#watchers.add(prefix, listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watchers.clear();
    this.#medium.stores.delete(this.#watchers);
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed(this.name);
  }
}
