/**
 * What a store does within one transaction, whatever its medium. Each call that changes something is a job, and all
 * that wait are carried out together (group commit). It knows leases and batches; it must not know a medium.
 */
import { FabricError } from '../message/error.ts';
import type { Clock } from '../platform/clock.ts';
import { holds, LeaseObserver, parseLease, released, type LeaseRecord } from './lease-record.ts';
import { batchOf, checkLease, fencedOff, type Lease, type LeaseRequest, type Write } from './store.ts';

/** A transaction as jobs see it. */
export interface Turn {
  /** Records of leases as text, by name. */
  readonly leases: {
    get(name: string): string | undefined;
    set(name: string, record: string): unknown;
  };
  /** Makes one change. */
  write(change: Write): void;
}

/** One piece of a transaction. */
export interface Job<T = unknown> {
  /** Leases that it looks at. */
  readonly leases: readonly string[];
  /** Keys that it changes. */
  readonly keys: readonly string[];
  /**
   * Reads first and changes last.
   * @throws FabricError `conflict internal`, before it has changed anything; what else it throws comes from the medium
   */
  work(turn: Turn): T;
}

/** A job and who waits for it. */
export interface WaitingJob<T = unknown> extends Job<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes the jobs of one open store. */
export class Jobs {
  readonly #store: string;
  readonly #clock: Clock;
  readonly #observer = new LeaseObserver();

  /** @param store its name, for messages */
  constructor(store: string, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The job of `Store.commit`. @throws TypeError, FabricError as {@link batchOf} */
  commit(given: readonly Write[], held: readonly Lease[] = []): Job<void> {
    const { writes, fences } = batchOf(given, held);
    return {
      leases: fences.map(({ name }) => name),
      keys: writes.map(({ key }) => key),
      work: (turn) => {
        const lost = fences.find((lease) => !holds(lease, this.#recordOf(lease.name, turn)));
        if (lost) throw fencedOff(lost, this.#store);
        for (const change of writes) turn.write(change);
      },
    };
  }

  /** The job of `Store.acquire`. @throws TypeError as {@link checkLease} */
  acquire(name: string, { holder, ttlMs }: LeaseRequest): Job<Lease | undefined> {
    checkLease(name, { holder, ttlMs });
    const work = (turn: Turn): Lease | undefined => {
      const known = { record: this.#recordOf(name, turn), now: this.#clock.now() };
      const granted = this.#observer.decide(name, { holder, ttlMs }, known);
      if (!granted) return undefined;
      turn.leases.set(name, JSON.stringify(granted));
      return { name, holder, token: granted.token };
    };
    return { leases: [name], keys: [], work };
  }

  /** The job of `Store.release`. */
  release({ name, holder, token }: Lease): Job<void> {
    const work = (turn: Turn): void => {
      const record = this.#recordOf(name, turn);
      if (record && holds({ name, holder, token }, record))
        turn.leases.set(name, JSON.stringify(released(record)));
    };
    return { leases: [name], keys: [], work };
  }

  /** The holder in a lease's record. @throws FabricError `internal` for a malformed record */
  holderOf(name: string, record: string | undefined): string | undefined {
    return parseLease(record, { name, store: this.#store })?.holder || undefined;
  }

  #recordOf(name: string, { leases }: Turn): LeaseRecord | undefined {
    return parseLease(leases.get(name), { name, store: this.#store });
  }
}

/**
 * Carries out all jobs within one transaction; one that throws a FabricError has changed nothing and is refused alone.
 * Any other error comes from the medium and ends the transaction for all. A savepoint for each job would save nobody,
 * as no job fails halfway but with the medium, and would make commits in SQLite half as dear again (measured).
 * @returns the keys that change, and how to tell each job what came of it, once the transaction is durable
 */
export function carryOut(
  jobs: readonly WaitingJob[],
  turn: Turn,
): { readonly changed: readonly string[]; readonly settle: readonly (() => void)[] } {
  const changed: string[] = [];
  const settle = jobs.map((job) => {
    try {
      const value = job.work(turn);
      for (const key of job.keys) changed.push(key);
      return () => job.resolve(value);
    } catch (caught) {
      if (caught instanceof FabricError) return () => job.reject(caught);
      throw caught;
    }
  });
  return { changed, settle };
}
