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
  /** Which listings count. */
  readonly accepts: (listing: Listing) => boolean;
}

/** Listings of one word at most: to make results of all costs half a second where 100,000 have it. */
const MOST_OF_A_WORD = 5000;
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

  /**
   * Listings that have all words, with how well they fit. Of a word that very many have, the best {@link MOST_OF_A_WORD}
   * count, unless there is a rarer one beside it: then all that have that one.
   */
  find(search: WordSearch): Map<string, number> {
    const { words, accepts } = search;
    const accepted = new Map<string, boolean>();
    const isAccepted = (id: string): boolean => {
      const known = accepted.get(id);
      if (known !== undefined) return known;
      const listing = this.#all.get(id)?.listing;
      const isGood = listing !== undefined && accepts(listing);
      accepted.set(id, isGood);
      return isGood;
    };
    const base = this.#rarest(search, isAccepted);
    let all = base?.found ?? new Map<string, number>();
    for (const word of words) {
      if (word === base?.word || all.size === 0) continue;
      const before = all;
      all = added(
        before,
        this.#findOne(word, search, (id) => before.has(id)),
      );
    }
    return all;
  }

  /** The first word that is rare; longer ones are so more often. When none is, the longest. */
  #rarest(
    search: WordSearch,
    accepts: (id: string) => boolean,
  ): { readonly word: string; readonly found: Map<string, number> } | undefined {
    let longest: { word: string; found: Map<string, number> } | undefined;
    for (const word of [...search.words].sort((a, b) => b.length - a.length)) {
      const found = this.#findOne(word, search, accepts);
      if (found.size < MOST_OF_A_WORD) return { word, found };
      longest ??= { word, found };
    }
    return longest;
  }

  #findOne(word: string, search: WordSearch, accepts: (id: string) => boolean): Map<string, number> {
    const chosen = new Set<string>();
    const isChosen = (id: string): boolean => {
      if (chosen.has(id)) return true;
      if (!accepts(id) || chosen.size >= MOST_OF_A_WORD) return false;
      chosen.add(id);
      return true;
    };
    const options: SearchOptions = {
      fields: [...search.fields],
      boost: FIELD_WEIGHTS,
      prefix: (term) => term.length >= search.minPrefixChars,
      fuzzy: (term) => typosOf(term),
      weights: WEIGHTS,
      // Asked before a result is made of a document; words as they are come first, then beginnings, then typos.
      boostDocument: (id) => (isChosen(id as string) ? 1 : 0),
      tokenize: (text) => [text],
    };
    const found = this.#words.search(word, options);
    return new Map(found.map(({ id, score }) => [id as string, score]));
  }
}

/** Those in both, with both scores. */
function added(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Map<string, number> {
  const both = new Map<string, number>();
  for (const [id, score] of a) {
    const other = b.get(id);
    if (other !== undefined) both.set(id, score + other);
  }
  return both;
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
