/** Whether a listing fits what is asked besides its words, as far as the asker may see it. */
import type { DiscoveryQuery } from '@hyperty/runtime';
import { shows, type Shown } from './audience.ts';
import { typosOf, wordsIn } from './directory-index.ts';
import { wordsOf, type WordMemory } from './fold-text.ts';
import type { Listing } from './listing.ts';

/** Words of a query at most; those after them are not looked at. */
const MAX_WORDS = 8;

/** A query as it is worked on. */
export interface Wanted {
  readonly query: DiscoveryQuery;
  /** Undefined: no text was given. Empty: a text without letters and digits, which nothing fits. */
  readonly words: readonly string[] | undefined;
  readonly minPrefixChars: number;
  readonly filters: readonly Filter[];
}

/** A check that needs the listing alone. What may not be seen does not fit. */
type Filter = (listing: Listing, shown: Shown) => boolean;

/** Reads a query. @param minPrefixChars shorter words are no beginnings of words */
export function wanted(query: DiscoveryQuery, minPrefixChars: number, memory: WordMemory): Wanted {
  const words = query.text === undefined ? undefined : [...new Set(wordsOf(query.text))].slice(0, MAX_WORDS);
  return { query, words, minPrefixChars, filters: filtersOf(query, memory) };
}

/** True when all filters hold. */
export const fits = ({ filters }: Wanted, listing: Listing, shown: Shown): boolean =>
  filters.every((filter) => filter(listing, shown));

/** True when the words might be found in a listing; it may say so too often, never too rarely. */
export function mayHaveWords({ words, minPrefixChars }: Wanted, listing: Listing): boolean {
  if (!words) return true;
  const there = wordsIn(listing);
  const isNear = (word: string, other: string): boolean =>
    other === word ||
    (word.length >= minPrefixChars && other.startsWith(word)) ||
    (typosOf(word) > 0 && Math.abs(other.length - word.length) <= typosOf(word));
  return words.length > 0 && words.every((word) => there.some((other) => isNear(word, other)));
}

function filtersOf(query: DiscoveryQuery, memory: WordMemory): Filter[] {
  const { kinds, id, role, organisation, skill, place, resources, schemas, status } = query;
  const filters: Filter[] = [];
  if (kinds) filters.push(({ kind }) => kinds.includes(kind));
  if (id !== undefined) filters.push((listing) => listing.id === id || listing.owner === id);
  const byText = textFilters(memory);
  if (role !== undefined) filters.push(byText(role, 'work', (listing) => listing.role));
  if (organisation !== undefined)
    filters.push(byText(organisation, 'work', (listing) => listing.organisation));
  if (skill !== undefined) filters.push(byText(skill, 'work', ({ skills }) => skills));
  if (place !== undefined) filters.push(byText(place, 'place', (listing) => listing.place));
  if (resources) filters.push((listing) => hasAll(listing.resources, resources));
  if (schemas) filters.push((listing) => hasAll(listing.schemas, schemas));
  if (status !== undefined)
    filters.push(
      (listing, shown) =>
        listing.status === status && (listing.kind !== 'person' || shows(shown, 'presence')),
    );
  return filters;
}

type ReadText = (listing: Listing) => string | readonly string[] | undefined;

/** Makes filters: one of the texts that are read has all words, or words that begin with them. */
const textFilters =
  (memory: WordMemory) =>
  (text: string, group: 'work' | 'place', read: ReadText): Filter => {
    const words = wordsOf(text);
    const isIn = (candidate: string): boolean => {
      const there = memory.of(candidate);
      return words.every((word) => there.some((other) => other.startsWith(word)));
    };
    return (listing, shown) => {
      const value = read(listing);
      if (value === undefined || words.length === 0) return false;
      if (listing.kind === 'person' && !shows(shown, group)) return false;
      return typeof value === 'string' ? isIn(value) : value.some(isIn);
    };
  };

const hasAll = (there: readonly string[] | undefined, asked: readonly string[]): boolean =>
  asked.every((one) => there?.includes(one) ?? false);
