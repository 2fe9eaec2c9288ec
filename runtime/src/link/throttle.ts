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

/** A throttle that many share, none of whom may use it up for the others. */
export interface SharedThrottle {
  take(who: string): boolean;
}

const MAX_SHARES = 1024;

/** Creates a throttle of `perSecond` in all and `each` for one of those who share it. */
export function createSharedThrottle(
  limits: { perSecond: number; each: number },
  now: () => number,
): SharedThrottle {
  const all = createThrottle(limits.perSecond, now);
  const shares = new Map<string, Throttle>();
  return {
    take(who) {
      const share = shares.get(who) ?? createThrottle(limits.each, now);
      shares.delete(who);
      shares.set(who, share);
      const [oldest] = shares.keys();
      if (shares.size > MAX_SHARES && oldest !== undefined) shares.delete(oldest);
      return share.take() && all.take();
    },
  };
}
