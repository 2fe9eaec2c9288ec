/**
 * The mailbox: the bounded queue in front of one actor. Items are handled one at a time, in order. It knows nothing
 * of what they are; it says so when it is full.
 */
import { FabricError } from '../message/error.ts';

interface Waiting<T> {
  readonly item: T;
  readonly done: (() => void) | undefined;
}

/** A bounded queue that hands one item at a time to `handle`. */
export class Mailbox<T> {
  readonly #handle: (item: T) => void | Promise<void>;
  readonly #capacity: number;
  #queue: Waiting<T>[] = [];
  #busy = false;
  #paused = false;

  /** @param handle deals with one item; a promise holds the next one back. It must not throw. */
  constructor(capacity: number, handle: (item: T) => void | Promise<void>) {
    this.#capacity = capacity;
    this.#handle = handle;
  }

  /** Items waiting. */
  get depth(): number {
    return this.#queue.length;
  }

  /**
   * Accepts an item. Undefined means that it has been handled already; a promise settles once it has.
   * @throws FabricError `mailbox-full` when `capacity` items wait; the item was not accepted.
   */
  push(item: T): Promise<void> | undefined {
    if (!this.#busy && !this.#paused) return this.#start(item);
    if (this.#queue.length >= this.#capacity) {
      throw new FabricError(
        'mailbox-full',
        `${this.#capacity} messages are waiting already; send more slowly.`,
        {
          details: { capacity: this.#capacity },
        },
      );
    }
    return new Promise((done) => this.#queue.push({ item, done }));
  }

  /** Holds items back until {@link resume}. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on after {@link pause}. */
  resume(): void {
    this.#paused = false;
    if (!this.#busy) this.#drain();
  }

  /** Empties the queue without handling; returns what was waiting. */
  clear(): T[] {
    const left = this.#queue;
    this.#queue = [];
    for (const { done } of left) done?.();
    return left.map(({ item }) => item);
  }

  #start(item: T): Promise<void> | undefined {
    this.#busy = true;
    const handled = this.#handle(item);
    if (handled)
      return handled.then(() => {
        this.#finish();
      });
    this.#finish();
    return undefined;
  }

  #finish(): void {
    this.#busy = false;
    if (this.#queue.length > 0) this.#drain();
  }

  #drain(): void {
    while (!this.#busy && !this.#paused) {
      const next = this.#queue.shift();
      if (!next) return;
      this.#busy = true;
      const handled = this.#handle(next.item);
      if (handled) {
        void handled.then(() => {
          next.done?.();
          this.#finish();
        });
        return;
      }
      this.#busy = false;
      next.done?.();
    }
  }
}
