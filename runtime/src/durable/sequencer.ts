/**
 * The sequencer: numbers that only grow, over restarts too. A hybrid logical clock (Kulkarni et al., 2014): milliseconds
 * while the clock goes forward, counted up while it stands or goes back.
 */

/** Numbers for each millisecond; the numbers stay exact until the year 2248. */
const PER_MS = 1024;

/** Numbers messages and mailbox places of one process. */
export class Sequencer {
  readonly #now: () => number;
  #last = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The latest number that was given or seen. */
  get last(): number {
    return this.#last;
  }

  /** A number above all that were given or seen. */
  next(): number {
    this.#last = Math.max(this.#now() * PER_MS, this.#last + 1);
    return this.#last;
  }

  /** Keeps later numbers above this one, which another life or process has given. */
  saw(number: number): void {
    if (Number.isSafeInteger(number)) this.#last = Math.max(this.#last, number);
  }
}
