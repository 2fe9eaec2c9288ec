/** Back-pressure of one link: senders wait while too much is under way, and go on when there is room again. */

/** A peer that has taken nothing for this long, though much waits, is waited for no longer. */
const STUCK_AFTER_MS = 10_000;

/** Senders that wait for room. */
export class Congestion {
  readonly #limit: number;
  readonly #now: () => number;
  #waiters: (() => void)[] = [];
  /** When the peer last took something that waited, epoch milliseconds. */
  #progressAt: number;

  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
    this.#progressAt = now();
  }

  /** The peer has taken something, or nothing waited until now. */
  progress(): void {
    this.#progressAt = this.#now();
  }

  /** True when much waits and the peer has long taken none of it. */
  isStuck(waiting: number): boolean {
    return waiting > this.#limit && this.#now() - this.#progressAt > STUCK_AFTER_MS;
  }

  /** Undefined while there is room; otherwise a promise that settles when there is again. */
  wait(waiting: number): Promise<void> | undefined {
    if (waiting <= this.#limit) return undefined;
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Lets everybody go on once half of the limit is free. */
  relieve(waiting: number): void {
    if (waiting > this.#limit / 2) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resume of waiters) resume();
  }
}
