/** Which runtimes have said good-bye, for those who keep something for them. A runtime that is only idle says it too. */
import type { RuntimeAddress } from '../message/address.ts';

/** Who hears of departures. */
export class Departures {
  readonly #listeners = new Set<(peer: RuntimeAddress) => void>();

  /** Calls `listener` when a runtime has closed its link in order; returns the removal. */
  on(listener: (peer: RuntimeAddress) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reports that a runtime has closed its link. */
  tell(peer: RuntimeAddress): void {
    for (const listener of [...this.#listeners]) listener(peer);
  }
}
