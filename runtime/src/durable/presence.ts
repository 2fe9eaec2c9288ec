/**
 * Presence: which durable hyperties there are. A store that cannot say must not be taken for one that says no: a message to
 * somebody who is not there is refused, and its sender forgets it.
 */
import { notHere } from '../bus/refusal.ts';
import type { Address } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import { delay, type Clock } from '../platform/clock.ts';
import type { Store } from '../store/store.ts';
import type { Awake } from './awake.ts';
import { keys } from './keys.ts';

/** What presence needs around it. */
export interface PresenceDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly awake: Awake;
}

const RETRY_MS = { first: 100, longest: 5000 };

/** Knows who is there. */
export class Presence {
  readonly #deps: PresenceDeps;
  readonly #announced = new Map<Address, Promise<boolean>>();

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
  }

  /** Announces one that is being made: who sends to it meanwhile waits for it. */
  announce(address: Address, made: Promise<unknown>): void {
    const ended = made.then(
      () => true,
      () => false,
    );
    this.#announced.set(address, ended);
    void ended.then(() => this.#announced.delete(address));
  }

  /** True when a hyperty of this store lives at `address`. Rejects with a FabricError `storage` when the store cannot say. */
  hosts(address: Address): boolean | Promise<boolean> {
    const made = this.#announced.get(address);
    if (made) return this.#isThere(made, address);
    const actor = this.#deps.awake.get(address);
    if (!actor) return this.#isKept(address);
    return actor.status === 'loading' ? this.#isThere(actor.loaded, address) : true;
  }

  /**
   * Settles when the receiver of a message is there; undefined when that is certain. Rejects with a FabricError `not-found`, or
   * `storage` when the sender does not wait. For one that waits it never settles once the store has been closed.
   */
  expect({ to, seq }: Envelope): Promise<void> | undefined {
    const found = this.hosts(to);
    if (found === true) return undefined;
    return this.#expect(to, Promise.resolve(found), seq !== undefined);
  }

  async #expect(to: Address, first: Promise<boolean>, isPatient: boolean): Promise<void> {
    let asked = first;
    for (let waitMs = RETRY_MS.first; ; waitMs = Math.min(RETRY_MS.longest, waitMs * 2)) {
      try {
        if (await asked) return;
      } catch (caught) {
        const { code } = FabricError.from(caught);
        if (!isPatient) throw caught;
        if (code === 'closed') return await new Promise<never>(() => undefined);
        await delay(this.#deps.clock, waitMs);
        asked = Promise.resolve(this.hosts(to));
        continue;
      }
      throw notHere(to);
    }
  }

  /** One that passes out of memory before it has come in may be there all the same. */
  async #isThere(loaded: Promise<boolean>, address: Address): Promise<boolean> {
    return (await loaded.catch(() => false)) || this.#isKept(address);
  }

  async #isKept(address: Address): Promise<boolean> {
    return (await this.#deps.store.get(keys.record(address))) !== undefined;
  }
}
