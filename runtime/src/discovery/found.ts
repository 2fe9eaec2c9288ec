/** What a followed search has found so far, as its answer and its updates tell. */
import type { DiscoveryAnswer, DiscoveryEntry, DiscoveryUpdate, Unanswered } from './contract.ts';

/** What has been found. */
export interface Found {
  /** The best first. */
  readonly results: readonly DiscoveryEntry[];
  /** Domains that have not answered, and why. */
  readonly partial: readonly Unanswered[];
  /** `idle` until the first answer, `lost` while the service does not answer: results are the last known ones. */
  readonly connection: 'idle' | 'live' | 'lost';
}

/** Before the first answer. */
export const nothingFound: Found = { results: [], partial: [], connection: 'idle' };

/** After an answer, which replaces all. */
export const foundBy = ({ results, partial }: DiscoveryAnswer): Found => ({
  results,
  partial,
  connection: 'live',
});

/** After an update. What is added twice, or removed twice, makes no difference. */
export function foundAfter(found: Found, update: DiscoveryUpdate): Found {
  const byId = new Map(found.results.map((entry) => [entry.id, entry]));
  for (const entry of [...(update.added ?? []), ...(update.changed ?? [])]) byId.set(entry.id, entry);
  for (const id of update.removed ?? []) byId.delete(id);
  const results = [...byId.values()].sort((a, b) => b.score - a.score);
  return { results, partial: update.partial ?? found.partial, connection: 'live' };
}
