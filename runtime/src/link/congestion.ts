/** Back-pressure of one link: senders wait while too much is under way, and go on when there is room again. */

/** Senders that wait for room. */
export class Congestion {
  readonly #limit: number;
  #waiters: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
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
