/**
 * Makes renewals durable. One that comes alone is committed at once; where many come, those of a few turns of the event loop
 * share one batch, and so one flush of the disk.
 */
import type { Store, Write } from '@hyperty/runtime';
import { writes, type LeaseRow } from './records.ts';

/** More renewals than this in this many milliseconds are many. */
const MANY = { count: 16, inMs: 10 };
/** Turns of the event loop that a renewal waits for others, as long as they come. */
const TURNS = 8;

interface Gathering {
  readonly changes: Write[];
  readonly done: Promise<void>;
}

/** Commits leases. */
export class LeaseCommits {
  readonly #store: Store;
  #gathering: Gathering | undefined;
  #since = 0;
  #count = 0;
  #before = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Settles once the lease is durable. @throws FabricError `storage` */
  commit(lease: LeaseRow): Promise<void> {
    const change = writes.lease(lease);
    if (!this.#areMany()) return this.#store.commit([change]);
    this.#gathering ??= this.#gather();
    this.#gathering.changes.push(change);
    return this.#gathering.done;
  }

  #areMany(): boolean {
    const now = performance.now();
    if (now - this.#since > MANY.inMs) {
      this.#before = now - this.#since > 2 * MANY.inMs ? 0 : this.#count;
      this.#since = now;
      this.#count = 0;
    }
    this.#count += 1;
    return Math.max(this.#count, this.#before) > MANY.count;
  }

  #gather(): Gathering {
    const changes: Write[] = [];
    const commit = async (): Promise<void> => {
      for (let turn = 0, seen = -1; turn < TURNS && changes.length !== seen; turn += 1) {
        seen = changes.length;
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      this.#gathering = undefined;
      await this.#store.commit(changes);
    };
    return { changes, done: commit() };
  }
}
