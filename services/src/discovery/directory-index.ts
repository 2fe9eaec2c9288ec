/** The index of listings, in memory: words, their beginnings and typos. Knows nothing of who may see what. */
import MiniSearch, { type SearchOptions } from 'minisearch';
import { foldText, wordsOf } from './fold-text.ts';
import { FIELD_WEIGHTS, handleOf, type Listing, type SearchField } from './listing.ts';

/** A listing with what it is sorted by. */
export interface Indexed {
  readonly listing: Listing;
  /** Folded beginning of the name. */
  readonly sortKey: string;
}

/** How words are looked for. */
export interface WordSearch {
  readonly words: readonly string[];
  readonly fields: readonly SearchField[];
  /** Shorter words must be there as they are. */
  readonly minPrefixChars: number;
}

const SORT_KEY_CHARS = 80;
const WEIGHTS = { prefix: 0.6, fuzzy: 0.3 };

/** Typos that a word may have. */
export const typosOf = (word: string): number => (word.length < 4 ? 0 : word.length < 8 ? 1 : 2);

/** Listings by id and by their words. */
export class DirectoryIndex {
  readonly #all = new Map<string, Indexed>();
  readonly #words = new MiniSearch<Listing>({
    idField: 'id',
    fields: Object.keys(FIELD_WEIGHTS),
    tokenize: wordsOf,
    processTerm: (word) => word,
    extractField: (listing, field) =>
      field === 'handle' ? handleOf(listing.id) : textOf(listing[field as keyof Listing]),
    logger: () => undefined,
  });

  /** Number of listings. */
  get size(): number {
    return this.#all.size;
  }

  /** One listing. */
  get(id: string): Indexed | undefined {
    return this.#all.get(id);
  }

  /** All listings. */
  all(): IterableIterator<Indexed> {
    return this.#all.values();
  }

  /** Adds a listing, or replaces the one of its id. */
  put(listing: Listing): void {
    const known = this.#all.get(listing.id);
    const sortKey = foldText(listing.name).slice(0, SORT_KEY_CHARS);
    this.#all.set(listing.id, { listing, sortKey });
    if (!known) this.#words.add(listing);
    else if (!haveSameWords(known.listing, listing)) this.#words.replace(listing);
  }

  /** Removes a listing; false when there was none. */
  remove(id: string): boolean {
    if (!this.#all.delete(id)) return false;
    this.#words.discard(id);
    return true;
  }

  /** Listings that have all words, with how well they fit. */
  find({ words, fields, minPrefixChars }: WordSearch): Map<string, number> {
    const options: SearchOptions = {
      fields: [...fields],
      boost: FIELD_WEIGHTS,
      combineWith: 'AND',
      prefix: (word) => word.length >= minPrefixChars,
      fuzzy: (word) => typosOf(word),
      weights: WEIGHTS,
    };
    const query = { combineWith: 'AND' as const, queries: [...words] };
    const found = this.#words.search(query, options);
    return new Map(found.map(({ id, score }) => [id as string, score]));
  }
}

/** Words of a listing that no index is needed for, to tell whether a change may matter to a search. */
export function wordsIn(listing: Listing): string[] {
  const fields = Object.keys(FIELD_WEIGHTS) as SearchField[];
  return fields.flatMap((field) =>
    wordsOf(field === 'handle' ? handleOf(listing.id) : textOf(listing[field])),
  );
}

/** Only its status is different, say: then the words need not be indexed anew. */
const haveSameWords = (a: Listing, b: Listing): boolean =>
  (Object.keys(FIELD_WEIGHTS) as SearchField[]).every(
    (field) => field === 'handle' || textOf(a[field]) === textOf(b[field]),
  );

const textOf = (value: string | readonly string[] | undefined): string =>
  value === undefined ? '' : typeof value === 'string' ? value : value.join(' ');
