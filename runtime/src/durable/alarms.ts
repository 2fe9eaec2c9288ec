/** Alarms: wakes durable hyperties whose time has come, whether they are in memory or not. The store has them all. */
import type { Address } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Store } from '../store/store.ts';
import { alarmOfKey, ofShard, sortable } from './keys.ts';

/** What alarms need around them. */
export interface AlarmsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Shards that this process runs. */
  readonly shards: () => Iterable<string>;
  readonly wake: (address: Address) => void;
}

/** Those that are due and do not go away by being woken, as their hyperty cannot run, are looked at this often. */
const AGAIN_MS = 5000;
/** However far away the next alarm is: clocks are set, other processes come and go. */
const LONGEST_MS = 3_600_000;
const AT_ONCE = 1000;

/** The next alarm of all shards. */
export class Alarms {
  readonly #deps: AlarmsDeps;
  #nextMs = Infinity;
  #timer: Timer;
  #isStopped = false;
  #isLooking = false;
  #isAskedAgain = false;

  constructor(deps: AlarmsDeps) {
    this.#deps = deps;
  }

  /** An alarm has been set. */
  note(dueMs: number): void {
    if (dueMs < this.#nextMs) this.#setFor(dueMs);
  }

  /** Looks for what is due now, and when the next one will be. */
  async look(): Promise<void> {
    this.#isAskedAgain = this.#isLooking; // there may be shards now that are not being looked at
    if (this.#isStopped || this.#isLooking) return;
    this.#isLooking = true;
    this.#nextMs = Infinity; // what is noted while we look counts
    try {
      do {
        this.#isAskedAgain = false;
        for (const shard of this.#deps.shards()) await this.#lookAt(shard);
      } while (this.#mustLookAgain);
    } catch (caught) {
      const error = FabricError.from(caught);
      if (error.code !== 'closed')
        this.#deps.logger.warn({ error }, 'the alarms could not be read; trying again');
      this.note(this.#deps.clock.now() + AGAIN_MS);
    } finally {
      this.#isLooking = false;
    }
    this.note(this.#deps.clock.now() + LONGEST_MS);
  }

  get #mustLookAgain(): boolean {
    return this.#isAskedAgain && !this.#isStopped;
  }

  stop(): void {
    this.#isStopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
  }

  async #lookAt(shard: string): Promise<void> {
    const { store, clock, wake } = this.#deps;
    const now = clock.now();
    const { from, to } = ofShard('t', shard);
    const later = `${from}${sortable(now + 1)}`;
    for (let at = from; ;) {
      const due = await store.range({ from: at, to: later, limit: AT_ONCE });
      for (const { key } of due) wake(alarmOfKey(key).address);
      const last = due.at(-1);
      if (last) this.note(now + AGAIN_MS); // those that cannot run stay due
      if (!last || due.length < AT_ONCE) break;
      at = `${last.key}!`;
    }
    const [next] = await store.range({ from: later, to, limit: 1 });
    if (next) this.note(alarmOfKey(next.key).dueMs);
  }

  #setFor(dueMs: number): void {
    if (this.#isStopped) return;
    const { clock } = this.#deps;
    this.#nextMs = dueMs;
    clock.clearTimeout(this.#timer);
    const run = (): void => {
      this.#nextMs = Infinity; // even while we look: no timer is set any more, and later times count
      void this.look();
    };
    this.#timer = clock.setTimeout(run, Math.min(LONGEST_MS, Math.max(0, dueMs - clock.now())));
  }
}
