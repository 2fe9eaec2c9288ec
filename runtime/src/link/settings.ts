/** Limits and times of links. Every figure has a reason; tests shorten some. */

/** Limits and times of the links of one runtime. */
export interface LinkSettings {
  /** Credit: envelopes that a peer may have under way to us, sent but not yet handled by their hyperties. */
  readonly windowEnvelopes: number;
  /** How long an acknowledgement waits for traffic to ride on. */
  readonly ackDelayMs: number;
  /** First wait before sending again; later ones follow the measured round trip (RFC 6298). */
  readonly minResendMs: number;
  /** Longest wait before sending again. */
  readonly maxResendMs: number;
  /** Largest body in bytes of its JSON text (UTF-8); above 48 KiB a body goes through the media store. */
  readonly maxBodyBytes: number;
  /** How long an envelope without deadline is kept for an absent peer. */
  readonly timeToLiveMs: number;
  /** Envelopes waiting for one peer above which senders are asked to wait. */
  readonly congestedAt: number;
  /** Envelopes waiting for one peer above which more are refused with `mailbox-full`. */
  readonly fullAt: number;
  /** A link without traffic for this long is closed. */
  readonly idleMs: number;
  /** Links open at one time; beyond it the longest idle one is closed. */
  readonly maxLinks: number;
  /** Links that one account of another runtime may hold: its device names are its own claim. */
  readonly maxLinksPerOwner: number;
  /** A difference between our clock and a peer's above this is reported. */
  readonly maxSkewMs: number;
}

/** The settings in force when nothing else is said. */
export const defaultLinkSettings: LinkSettings = {
  windowEnvelopes: 2048,
  ackDelayMs: 100,
  minResendMs: 1000,
  maxResendMs: 30_000,
  maxBodyBytes: 8 * 1024 * 1024,
  timeToLiveMs: 3_600_000,
  congestedAt: 2048,
  fullAt: 16_384,
  idleMs: 600_000,
  maxLinks: 4096,
  maxLinksPerOwner: 64,
  maxSkewMs: 5000,
};

/** Room in a data frame for all that is not entries. */
export const FRAME_OVERHEAD_BYTES = 1536;
export const SUSPECT_AFTER_FAILURES = 3;
/** A message that expires within this time is acknowledged at once. */
export const URGENT_MS = 2000;
