/** The timer behind sending again: one wait at a time, after the measured round trip. */
import type { Clock, Timer } from '../platform/clock.ts';
import { createRoundTrip, type RoundTrip } from './round-trip.ts';
import type { LinkSettings } from './settings.ts';

/** Not sooner: a peer that takes its time is not helped by being sent the same every second. */
const LONG_AFTER_FAILURES = 2;

/** Calls `silence` when nothing has come back in time. */
export class ResendTimer {
  readonly roundTrip: RoundTrip;
  readonly #clock: Clock;
  readonly #silence: () => void;
  #timer: Timer;
  #armed = false;
  readonly #maxMs: number;
  #hurriedAt = -Infinity;

  constructor(clock: Clock, settings: LinkSettings, silence: () => void) {
    this.#clock = clock;
    this.#silence = silence;
    this.#maxMs = settings.maxResendMs;
    this.roundTrip = createRoundTrip({ minMs: settings.minResendMs, maxMs: settings.maxResendMs });
  }

  /** Starts the wait; does nothing while one runs. */
  arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#timer = this.#clock.setTimeout(() => {
      this.#armed = false;
      this.#silence();
    }, this.roundTrip.resendAfterMs());
  }

  /**
   * The peer is there, although it has not taken what we sent: a wait that has become long starts anew, short. Not again and
   * again: a peer whose store fails is there, and takes nothing.
   */
  hurry(): void {
    if (!this.#armed || this.roundTrip.failures < LONG_AFTER_FAILURES) return;
    const now = this.#clock.now();
    if (Math.abs(now - this.#hurriedAt) < this.#maxMs) return;
    this.#hurriedAt = now;
    this.roundTrip.reset();
    this.disarm();
    this.arm();
  }

  /** Ends the wait. */
  disarm(): void {
    this.#armed = false;
    this.#clock.clearTimeout(this.#timer);
  }
}
