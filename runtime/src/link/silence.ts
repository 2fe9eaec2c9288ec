/** Why a peer is silent, as far as its path can tell. */
import type { RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import type { Protostub } from '../protostub/protostub.ts';

/** The silence of one peer. */
export class Silence {
  readonly #peer: RuntimeAddress;
  readonly #logger: Logger;
  #diagnosis: FabricError | undefined;

  constructor(peer: RuntimeAddress, logger: Logger) {
    this.#peer = peer;
    this.#logger = logger;
  }

  /** What to tell a sender whose message the peer has not acknowledged. */
  get reason(): FabricError {
    if (this.#diagnosis) return this.#diagnosis;
    const text = `${this.#peer} has not acknowledged this; it may be off, unreachable or slow. Try again later.`;
    return new FabricError('offline', text, { details: { peer: this.#peer } });
  }

  /** The peer has spoken. */
  end(): void {
    this.#diagnosis = undefined;
  }

  /** Lets the path find out. */
  async diagnose(path: Protostub): Promise<void> {
    try {
      this.#diagnosis = await path.diagnose?.(this.#peer);
    } catch (error) {
      this.#logger.debug({ peer: this.#peer, error }, 'the silence of a peer could not be explained');
    }
  }
}
