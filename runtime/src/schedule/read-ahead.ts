/**
 * Reads occurrences in batches for whoever walks from one to the next: a search costs as much as many occurrences in a
 * row. It changes how fast answers are, never which.
 */

/** Where occurrences come from; instants in epoch milliseconds. */
export interface OccurrenceSource {
  /** The first occurrence after an instant. */
  next(afterMs: number): number | undefined;
  /** All occurrences after an instant and before another, in order; undefined when that is too much work. */
  between(afterMs: number, beforeMs: number): readonly number[] | undefined;
}

const HOUR_MS = 3_600_000;
/** Batches are to have as many occurrences. */
const FEWEST = 50;
const MOST = 500;

/** All occurrences after `from`, up to the last of `times`. */
interface Batch {
  readonly from: number;
  readonly times: readonly number[];
}

/** Creates the search over a source, with one batch in memory. */
export function createReadAhead(source: OccurrenceSource): OccurrenceSource['next'] {
  let batch: Batch = { from: Infinity, times: [] };
  let last: number | undefined;
  let windowMs = HOUR_MS;
  let widestMs = 400 * 24 * HOUR_MS;

  /** Reads a batch, and makes the one after it longer or shorter. */
  function readFrom(from: number): void {
    const found = source.between(from, from + windowMs);
    batch = { from, times: found ?? [] };
    if (!found) widestMs = windowMs / 4;
    if (found && found.length < FEWEST) windowMs *= 4;
    if (found && found.length > MOST) windowMs /= 4;
    windowMs = Math.min(windowMs, widestMs);
  }

  return (afterMs) => {
    if (afterMs === last && findIn(batch, afterMs) === undefined) readFrom(afterMs);
    last = findIn(batch, afterMs) ?? source.next(afterMs);
    return last;
  };
}

/** The first of a batch after an instant, by halving; undefined when the batch does not tell. */
function findIn({ from, times }: Batch, afterMs: number): number | undefined {
  if (afterMs < from) return undefined;
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) > afterMs) high = middle;
    else low = middle + 1;
  }
  return times[low];
}
