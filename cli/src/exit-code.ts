/**
 * What the command tells its caller when it ends.
 */

/** Exit codes of `hyperty`; a signal that ends it gives 128 plus the signal's number. */
export const exitCodes = {
  /** It did what it was asked to. */
  ok: 0,
  /** It could not; the reason was printed. */
  failed: 1,
  /** It was asked for something it does not know; nothing was done. */
  usage: 2,
  /** Closing the terminal ended it. */
  hangup: 129,
  /** Ctrl-C ended it before it was done. */
  interrupted: 130,
  /** Another program ended it before it was done. */
  terminated: 143,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
