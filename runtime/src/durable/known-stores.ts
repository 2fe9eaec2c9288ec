/** The stores that peers were last seen with, kept over restarts: so that a peer which lost its store is found out. */
import { isAddress, type RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import { under, type Store } from '../store/store.ts';

const PREFIX = 'k/';

/** Names of peers' stores. */
export class KnownStores {
  readonly names = new Map<RuntimeAddress, string>();
  readonly #store: Store;
  readonly #logger: Logger;

  constructor(store: Store, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** Reads what was kept. @throws FabricError of the store */
  async load(): Promise<void> {
    for (const { key, value } of await this.#store.range(under(PREFIX))) {
      const peer = key.slice(PREFIX.length);
      if (isAddress(peer)) this.names.set(peer as RuntimeAddress, value);
    }
  }

  /** Keeps what has changed; `undefined` forgets. It is told what was there, not needed for anything to go on. */
  changed(peer: RuntimeAddress, name: string | undefined): void {
    this.#store.commit([{ key: `${PREFIX}${peer}`, value: name ?? null }]).catch((caught: unknown) => {
      const error = FabricError.from(caught);
      if (error.code !== 'closed')
        this.#logger.warn({ peer, error }, "the name of a peer's store could not be kept");
    });
  }
}
