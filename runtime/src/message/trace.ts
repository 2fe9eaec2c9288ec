/**
 * Trace context: the `traceparent` header of W3C Trace Context (Level 1, §3.2) carried in each envelope, so that one
 * trace covers a message's way through two companies.
 */

/** A `traceparent` value: `00-<32 hex>-<16 hex>-<2 hex>`. */
export const TRACEPARENT_PATTERN = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Makes the `traceparent` of the next span: same trace as `parent` with a new span id, or a new trace without one.
 * @param hex gives that many random lower-case hex digits
 */
export function childTrace(parent: string | undefined, hex: (digits: number) => string): string {
  if (parent === undefined) return `00-${nonZero(32, hex)}-${nonZero(16, hex)}-01`;
  return `${parent.slice(0, 36)}${nonZero(16, hex)}${parent.slice(52)}`;
}

function nonZero(digits: number, hex: (digits: number) => string): string {
  const value = hex(digits);
  return /^0+$/.test(value) ? `${value.slice(1)}1` : value;
}
