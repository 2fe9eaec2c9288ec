/**
 * Results of steps: kept by themselves as soon as they are there, so that a step which has ended is not begun again, whatever
 * becomes of the transition that its result leads to.
 */
import type { HypertyAddress } from '../message/address.ts';
import type { Write } from '../store/store.ts';
import { keys } from './keys.ts';
import { encode, oddityIn } from './record.ts';
import type { Turn } from './turn.ts';

/** A result. */
export interface Result {
  readonly value: unknown;
}

/** What results need of their hyperty. */
export interface ResultsDeps {
  readonly address: HypertyAddress;
  /** Keeps one thing at once, apart from any turn. */
  readonly keep: (write: Write) => Promise<unknown>;
  /** Runs `take` in the next turn. */
  readonly due: (take: (turn: Turn) => void) => void;
}

/** The results of one hyperty that its machine has not taken, by the keys of their steps. */
export class Results {
  readonly #deps: ResultsDeps;
  readonly #results = new Map<string, Result>();
  /** Steps under way, by their keys: who takes the result. */
  readonly #takers = new Map<string, (value: unknown) => void>();

  constructor(deps: ResultsDeps) {
    this.#deps = deps;
  }

  /** Takes up those that an earlier life has kept. */
  recall(results: ReadonlyMap<string, Result>): void {
    for (const [key, result] of results) this.#results.set(key, result);
  }

  /**
   * Waits for the result of a step, from whichever call of it that comes.
   * @returns how to wait no longer, and whether it is there already
   */
  expect(
    key: string,
    take: (value: unknown) => void,
  ): { readonly undo: () => void; readonly isThere: boolean } {
    this.#takers.set(key, take);
    const isThere = this.#results.has(key);
    if (isThere) this.#give(key);
    const undo = (): void => {
      if (this.#takers.get(key) === take) this.#takers.delete(key);
    };
    return { undo, isThere };
  }

  /** Keeps a result; the next turn takes it. @throws TypeError when it is not plain data */
  async keep(key: string, value: unknown): Promise<void> {
    const { address, keep } = this.#deps;
    const oddity = oddityIn(value, 'the result of an effect');
    if (oddity !== undefined) throw new TypeError(`${oddity}, which cannot be kept: give plain data.`);
    const text = encode({ value });
    await keep({ key: keys.result(address, key), value: text });
    this.#results.set(key, JSON.parse(text) as Result);
    this.#give(key);
  }

  /** All steps have ended: their machine begins anew. */
  forgetTakers(): void {
    this.#takers.clear();
  }

  /**
   * The result is forgotten in the turn in which the machine takes it, or finds that it has left the step. Should that turn be
   * undone, it is still here, and given again.
   */
  #give(key: string): void {
    const { address, due } = this.#deps;
    due((turn) => {
      const result = this.#results.get(key);
      if (!result) return;
      turn.writes.push({ key: keys.result(address, key), value: null });
      turn.after.push(() => this.#results.delete(key));
      this.#takers.get(key)?.(result.value);
    });
  }
}
