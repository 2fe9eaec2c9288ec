/** Refusals: that the message node did not take a frame, why, and how long to hold back then. */
import type { FabricError } from '../message/error.ts';
import type { LinkSettings } from './settings.ts';

/** The refusals in a row of one message node. */
export class Refusals {
  readonly #settings: Pick<LinkSettings, 'minResendMs' | 'maxResendMs'>;
  #last: FabricError | undefined;
  #inRow = 0;

  constructor(settings: Pick<LinkSettings, 'minResendMs' | 'maxResendMs'>) {
    this.#settings = settings;
  }

  /** Why nothing can be sent now, if it will be possible again. */
  get reason(): FabricError | undefined {
    return this.#last?.retryable ? this.#last : undefined;
  }

  /** Notes one. Returns how long to hold back: as long as the message node asks, or a little longer each time. */
  add(error: FabricError): number {
    const { minResendMs, maxResendMs } = this.#settings;
    const { retryAfterMs } = error.details;
    const backOffMs = Math.min(maxResendMs, (minResendMs / 4) * 2 ** Math.min(this.#inRow, 16));
    this.#last = error;
    this.#inRow += 1;
    return typeof retryAfterMs === 'number' ? retryAfterMs : backOffMs;
  }

  /** The message node takes frames again, or is another one. */
  clear(): void {
    this.#last = undefined;
    this.#inRow = 0;
  }
}
