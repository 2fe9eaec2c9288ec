/** The real clock as one process has it: its timers end with it. */
import { systemClock, type Clock } from '../../platform/clock.ts';

/** A clock whose process can end. */
export interface MortalClock extends Clock {
  /** From now on no timer runs. */
  kill(): void;
}

/** Makes the clock of one process. */
export function createMortalClock(): MortalClock {
  const timers = new Set<unknown>();
  let isDead = false;
  return {
    now: () => systemClock.now(),
    setTimeout(run, delayMs) {
      if (isDead) return undefined;
      const timer = systemClock.setTimeout(() => {
        timers.delete(timer);
        run();
      }, delayMs);
      timers.add(timer);
      return timer;
    },
    clearTimeout(timer) {
      timers.delete(timer);
      systemClock.clearTimeout(timer);
    },
    kill() {
      isDead = true;
      for (const timer of timers) systemClock.clearTimeout(timer);
      timers.clear();
    },
  };
}
