/** Round-trip time of a link and the wait before sending again, after RFC 6298. */

/** Measures round trips. */
export interface RoundTrip {
  /** Smoothed round trip in milliseconds, undefined before the first sample. */
  readonly smoothedMs: number | undefined;
  /** Takes a sample and ends a back-off. One that cannot be, as the clock was set meanwhile, is not counted. */
  sample(ms: number): void;
  /** Doubles the wait, as nothing came back. */
  backOff(): void;
  /** Ends a back-off without a sample. */
  reset(): void;
  /** Times in a row that nothing came back. */
  readonly failures: number;
  /** How long to wait before sending again. */
  resendAfterMs(): number;
}

/** Creates an estimator whose wait stays between the two bounds. */
export function createRoundTrip({ minMs, maxMs }: { minMs: number; maxMs: number }): RoundTrip {
  let smoothed: number | undefined;
  let variation = 0;
  let failures = 0;
  return {
    get smoothedMs() {
      return smoothed;
    },
    get failures() {
      return failures;
    },
    sample(ms) {
      failures = 0;
      if (ms < 0 || ms > maxMs) return; // what has taken longer has been sent again, and is no sample
      if (smoothed === undefined) [smoothed, variation] = [ms, ms / 2];
      else {
        variation = 0.75 * variation + 0.25 * Math.abs(smoothed - ms);
        smoothed = 0.875 * smoothed + 0.125 * ms;
      }
    },
    backOff() {
      failures += 1;
    },
    reset() {
      failures = 0;
    },
    resendAfterMs() {
      const wait = Math.max(minMs, smoothed === undefined ? 0 : smoothed + 4 * variation);
      return Math.min(maxMs, wait * 2 ** Math.min(failures, 16));
    },
  };
}
