/** Why nothing arrives at a peer: it is silent, or our own message node does not take what is for it. */
import type { RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import type { Protostub } from '../protostub/protostub.ts';

/** The silence of one peer. */
export class Silence {
  readonly #peer: RuntimeAddress;
  readonly #logger: Logger;
  #diagnosis: FabricError | undefined;
  #refusal: FabricError | undefined;
  #refusals = 0;

  constructor(peer: RuntimeAddress, logger: Logger) {
    this.#peer = peer;
    this.#logger = logger;
  }

  /** What to tell a sender whose message the peer has not acknowledged. */
  get reason(): FabricError {
    if (this.#refusal) return notTaken(this.#peer, this.#refusal);
    if (this.#diagnosis) return this.#diagnosis;
    const text = `${this.#peer} has not acknowledged this; it may be off, unreachable or slow. Try again later.`;
    return new FabricError('offline', text, { details: { peer: this.#peer } });
  }

  /** The peer has spoken. */
  end(): void {
    this.#diagnosis = undefined;
  }

  /** Frames in a row that our message node did not take. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Our message node did not take a frame. */
  refused(error: FabricError): void {
    this.#refusal = error;
    this.#refusals += 1;
  }

  /** Our message node takes frames (again). */
  taken(): void {
    this.#refusal = undefined;
    this.#refusals = 0;
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

function notTaken(peer: RuntimeAddress, cause: FabricError): FabricError {
  const text = `Nothing reaches ${peer}: our message node does not take it. ${cause.message}`;
  return new FabricError('offline', text, { details: { peer }, cause });
}

/** The peer lost what it had not acknowledged. */
export const restarted = (peer: RuntimeAddress): FabricError =>
  new FabricError(
    'offline',
    `${peer} restarted before it acknowledged this; it may or may not have been handled.`,
    { details: { peer, restarted: true } },
  );

/** The peer has said nothing for as long as messages live. */
export const gone = (peer: RuntimeAddress): FabricError =>
  new FabricError(
    'offline',
    `${peer} did not acknowledge this in time; it may or may not have been handled.`,
    { details: { peer } },
  );
