/**
 * Ids: UUID version 7 (RFC 9562 §5.7), ordered by creation within one source (§6.2, method 2: the random part is
 * counted up inside a millisecond). Ids name messages; they are no secrets and prove nothing.
 */

/** Where ids and trace ids come from: a clock in epoch milliseconds and random bytes. */
export interface IdDeps {
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
}

/** Makes ids; one source per runtime. */
export interface IdSource {
  /** The next UUIDv7: later ids of one source sort after earlier ones. */
  next(): string;
  /** `digits` random lower-case hex digits (at most 64). */
  hex(digits: number): string;
}

const POOL_BYTES = 2048;
const COUNTER_LIMIT = 0x1_0000_0000;
const hexByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Creates an id source. Random bytes are drawn in blocks, so that an id costs well under a microsecond. */
export function createIdSource(deps: IdDeps): IdSource {
  let pool: Uint8Array = new Uint8Array(0);
  let used = 0;
  const hex = (digits: number): string => {
    const bytes = digits / 2;
    if (used + bytes > pool.length) [pool, used] = [deps.random(POOL_BYTES), 0];
    let text = '';
    for (let i = 0; i < bytes; i += 1) text += hexByte[pool[used + i] ?? 0] ?? '00';
    used += bytes;
    return text;
  };

  let lastMs = -1;
  let counter = 0;
  let head = '';
  const startMillisecond = (ms: number): void => {
    lastMs = ms;
    counter = Number.parseInt(hex(8), 16) >>> 1;
    const time = ms.toString(16).padStart(12, '0');
    const variant = (8 + (Number.parseInt(hex(2), 16) & 3)).toString(16);
    head = `${time.slice(0, 8)}-${time.slice(8)}-7${hex(4).slice(1)}-${variant}${hex(4).slice(1)}-${hex(4)}`;
  };

  return {
    hex,
    next() {
      const ms = deps.now();
      if (ms > lastMs) startMillisecond(ms);
      else if (++counter >= COUNTER_LIMIT) startMillisecond(lastMs + 1);
      return head + counter.toString(16).padStart(8, '0');
    },
  };
}

/** When a UUIDv7 was made, epoch milliseconds of its source's clock. */
export const timeOfId = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
