/** A throttle: at most so many per second, whatever is asked for. */

/** Says whether one more is allowed now. */
export interface Throttle {
  take(): boolean;
}

/** Creates a token bucket that holds one second's worth. */
export function createThrottle(perSecond: number, now: () => number): Throttle {
  let tokens = perSecond;
  let at = now();
  return {
    take() {
      const time = now();
      tokens = Math.min(perSecond, tokens + (Math.max(0, time - at) / 1000) * perSecond);
      at = time;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
