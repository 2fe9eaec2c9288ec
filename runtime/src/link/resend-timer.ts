/** The timer behind sending again: one wait at a time, after the measured round trip. */
import type { Clock, Timer } from '../platform/clock.ts';
import { createRoundTrip, type RoundTrip } from './round-trip.ts';
import type { LinkSettings } from './settings.ts';

/** Calls `silence` when nothing has come back in time. */
export class ResendTimer {
  readonly roundTrip: RoundTrip;
  readonly #clock: Clock;
  readonly #silence: () => void;
  #timer: Timer;
  #armed = false;

  constructor(clock: Clock, settings: LinkSettings, silence: () => void) {
    this.#clock = clock;
    this.#silence = silence;
    this.roundTrip = createRoundTrip({ minMs: settings.minResendMs, maxMs: settings.maxResendMs });
  }

  /** Starts the wait, at least `leastMs`; does nothing while one runs. */
  arm(leastMs = 0): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#armed = false;
        this.#silence();
      },
      Math.max(leastMs, this.roundTrip.resendAfterMs()),
    );
  }

  /** Ends the wait. */
  disarm(): void {
    this.#armed = false;
    this.#clock.clearTimeout(this.#timer);
  }
}
