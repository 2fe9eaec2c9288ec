/** Time as the fabric sees it: injected everywhere, so that tests turn it by hand. */

/** A running timer, as the clock that made it understands it. */
export type Timer = unknown;

/** A clock: epoch milliseconds and one-shot timers. Also an XState clock. */
export interface Clock {
  /** Epoch milliseconds, a whole number. */
  now(): number;
  setTimeout(run: () => void, delayMs: number): Timer;
  clearTimeout(timer: Timer): void;
}

/** Longest delay that timers of Node.js and browsers understand; beyond it they fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A timer that is longer than the platform's can be: it runs in steps. */
class LongTimer {
  #step: unknown;

  constructor(run: () => void, delayMs: number) {
    const next = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, MAX_DELAY_MS);
      this.#step = globalThis.setTimeout(() => {
        if (leftMs > stepMs) next(leftMs - stepMs);
        else run();
      }, stepMs);
    };
    next(delayMs);
  }

  clear(): void {
    globalThis.clearTimeout(this.#step as number | undefined);
  }
}

/** The platform's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, delayMs) =>
    delayMs > MAX_DELAY_MS ? new LongTimer(run, delayMs) : globalThis.setTimeout(run, delayMs),
  clearTimeout: (timer) => {
    if (timer instanceof LongTimer) timer.clear();
    else globalThis.clearTimeout(timer as number | undefined);
  },
};

/** Resolves after `delayMs` on `clock`; rejects with the signal's reason when it aborts first. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clock.clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, delayMs);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

/** Waits for `work`, but no longer than `limitMs`; whether it succeeds is its own business. */
export async function atMost(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: Timer;
  const limit = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, limitMs);
  });
  await Promise.race([work.catch(() => undefined), limit]);
  clock.clearTimeout(timer);
}
