/** What happens to messages of a durable hyperty that cannot run: most are kept, and nobody who asks is left waiting. */
import type { HypertyAddress } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';

/** Messages that are kept for it. */
const CAPACITY = 4096;

/** A hyperty that cannot run, and why. */
export class Halted {
  readonly #address: HypertyAddress;
  readonly #isUnknownKind: boolean;
  #kept = 0;

  constructor(address: HypertyAddress, reason: FabricError, logger: Logger) {
    this.#address = address;
    this.#isUnknownKind = reason.details['isUnknownKind'] === true;
    const fields = { address, error: reason.cause ?? reason };
    const text = 'a durable hyperty cannot run; its messages are kept';
    if (this.#isUnknownKind)
      logger.info(fields, text); // its definition may be hosted in a moment
    else logger.error(fields, text);
  }

  /** Refuses who would wait for an answer, and what is too much. @throws FabricError `closed mailbox-full` */
  admit({ type, seq }: Envelope): void {
    const address = this.#address;
    if (type !== 'event' && type !== 'response' && !seq && !this.#isUnknownKind) {
      const text = `${address} cannot run at present; its owner sees why in "hyperty inspect". Try again later.`;
      throw new FabricError('closed', text);
    }
    this.#kept += 1;
    if (this.#kept <= CAPACITY) return;
    const text = `${address} cannot run at present, and ${CAPACITY} messages wait for it already. Try again later.`;
    throw new FabricError('mailbox-full', text);
  }
}

/** It was to be made. */
export const notMade = (address: string): FabricError =>
  new FabricError('closed', `${address} could not be made before its runtime stopped.`);

/** It was to be ended, and is still there. */
export const notEnded = (address: string): FabricError =>
  new FabricError('conflict', `${address} could not be ended: another process runs it, or this one stops.`);
