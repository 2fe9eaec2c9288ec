/** The order of what was found, a page of it, and where the next page begins. Pure. */
import { FabricError } from '@hyperty/runtime';
import type { Indexed } from './directory-index.ts';
import type { Shown } from './audience.ts';

/** One listing that was found. */
export interface Hit extends Indexed {
  readonly shown: Shown;
  readonly score: number;
}

/** The place of a hit in the order. */
interface Place {
  readonly score: number;
  readonly sortKey: string;
  readonly id: string;
}

/** The best of all hits. */
export interface Page {
  readonly hits: readonly Hit[];
  /** Of all hits, also those of other pages; 0 when there is none. */
  readonly topScore: number;
  readonly cursor: string | undefined;
}

/** Hits after `cursor`, the best `limit` of them. @throws FabricError `invalid` for a cursor that no page gave */
export function pageOf(hits: Iterable<Hit>, limit: number, cursor: string | undefined): Page {
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const best: Hit[] = [];
  let topScore = 0;
  for (const hit of hits) {
    topScore = Math.max(topScore, hit.score);
    if (after && compare(placeOf(hit), after) <= 0) continue;
    insert(best, hit, limit + 1);
  }
  const page = best.slice(0, limit);
  const last = best.length > limit ? page.at(-1) : undefined;
  return { hits: page, topScore, cursor: last && encodeCursor(placeOf(last)) };
}

/** Puts a hit where it belongs, when it is among the first `most`. */
function insert(best: Hit[], hit: Hit, most: number): void {
  const place = placeOf(hit);
  const isBefore = (index: number): boolean => compare(place, placeOf(best[index] as Hit)) < 0;
  if (best.length === most && !isBefore(most - 1)) return;
  let [low, high] = [0, best.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) high = middle;
    else low = middle + 1;
  }
  best.splice(low, 0, hit);
  if (best.length > most) best.pop();
}

const placeOf = ({ score, sortKey, listing: { id } }: Hit): Place => ({ score, sortKey, id });

/** The best first; alike ones by name, then by id. */
function compare(a: Place, b: Place): number {
  if (a.score !== b.score) return b.score - a.score;
  if (a.sortKey !== b.sortKey) return a.sortKey < b.sortKey ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

const encodeCursor = ({ score, sortKey, id }: Place): string =>
  Buffer.from(JSON.stringify([score, sortKey, id])).toString('base64url');

function decodeCursor(cursor: string): Place {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts) && parts.length === 3) {
      const [score, sortKey, id] = parts as unknown[];
      if (typeof score === 'number' && typeof sortKey === 'string' && typeof id === 'string')
        return { score, sortKey, id };
    }
  } catch {
    // Said below.
  }
  throw new FabricError('invalid', 'That cursor is of no page of a search; begin without one.');
}
