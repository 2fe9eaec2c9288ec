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

  constructor(deps: ResultsDeps) {
    this.#deps = deps;
  }

  /** Takes up those that an earlier life has kept. */
  recall(results: ReadonlyMap<string, Result>): void {
    for (const [key, result] of results) this.#results.set(key, result);
  }

  /** The result of a step that has ended already; the next turn takes it. */
  take(key: string): Result | undefined {
    const result = this.#results.get(key);
    if (result) this.#forgetIn(key);
    return result;
  }

  /** Keeps a result; the next turn takes it. @throws TypeError when it is not plain data */
  async keep(key: string, value: unknown): Promise<void> {
    const { address, keep } = this.#deps;
    const oddity = oddityIn(value, 'the result of an effect');
    if (oddity !== undefined) throw new TypeError(`${oddity}, which cannot be kept: give plain data.`);
    const text = encode({ value });
    this.#results.set(key, JSON.parse(text) as Result);
    await keep({ key: keys.result(address, key), value: text });
    this.#forgetIn(key);
  }

  /** Should that turn be undone, the result is still here, and taken again. */
  #forgetIn(key: string): void {
    const { address, due } = this.#deps;
    due((turn) => {
      turn.writes.push({ key: keys.result(address, key), value: null });
      turn.after.push(() => this.#results.delete(key));
    });
  }
}
