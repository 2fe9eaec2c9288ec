/** The store in memory: for tests, and for runtimes that need not remember. Nothing outlives the process. */
import { systemClock, type Clock } from '../platform/clock.ts';
import { Jobs, type Job, type Turn } from './job.ts';
import { checkKey, limitOf, Page, storeClosed, type Entry, type Lease, type LeaseRequest, type Range, type Store, type Write } from './store.ts'; // prettier-ignore
import { Watchers } from './watchers.ts';

/** What stores in memory share when they stand for several processes on one medium. */
export interface MemoryMedium {
  readonly values: Map<string, string>;
  readonly leases: Map<string, string>;
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
  readonly #jobs: Jobs;
  readonly #turn: Turn;
  readonly #watchers = new Watchers();
  #closed = false;

  constructor(medium: MemoryMedium, clock: Clock) {
    this.#medium = medium;
    this.#jobs = new Jobs(this.name, clock);
    const { values, leases } = medium;
    const write = ({ key, value }: Write): unknown =>
      value === null ? values.delete(key) : values.set(key, value);
    this.#turn = { leases, write };
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
    const page = new Page(limit);
    keys.every((key) => page.add({ key, value: this.#medium.values.get(key) ?? '' }));
    return page.entries;
  }

  async commit(writes: readonly Write[], leases?: readonly Lease[]): Promise<void> {
    const job = this.#jobs.commit(writes, leases);
    this.#carryOut(job);
    queueMicrotask(() => {
      for (const watchers of this.#medium.stores) watchers.tell(job.keys);
    });
  }

  async acquire(name: string, request: LeaseRequest): Promise<Lease | undefined> {
    return this.#carryOut(this.#jobs.acquire(name, request));
  }

  async release(lease: Lease): Promise<void> {
    this.#carryOut(this.#jobs.release(lease));
  }

  async holderOf(name: string): Promise<string | undefined> {
    this.#checkOpen();
    return this.#jobs.holderOf(name, this.#medium.leases.get(name));
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

  #carryOut<T>(job: Job<T>): T {
    this.#checkOpen();
    return job.work(this.#turn);
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed(this.name);
  }
}
