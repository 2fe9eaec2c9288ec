/**
 * The directory of a domain, in memory: listings of people and of what belongs to them, who shows what to whom, and the
 * search over it. It is rebuilt from store and sources at each start; nothing in it must not be lost.
 */
import type { Audience, DiscoveryEntry, DiscoveryQuery } from '@hyperty/runtime';
import { ALL_SHOWN, disclosureOf, groupsOf, NONE_SHOWN, shownTo, shows, type CompanyBounds, type Disclosure, type Shown, type Viewer } from './audience.ts'; // prettier-ignore
import { DirectoryIndex, type Indexed } from './directory-index.ts';
import { WordMemory } from './fold-text.ts';
import { ALL_FIELDS, fieldSetOf, fieldsOf, visiblePart, type Listing } from './listing.ts';
import { fits, mayHaveWords, wanted, type Wanted } from './matching.ts';
import { pageOf, type Hit } from './ranking.ts';

/** What a directory knows of its company. */
export interface DirectoryOptions {
  readonly domain: string;
  readonly bounds: CompanyBounds;
  /** Of groups for which a person has chosen none. */
  readonly defaultAudience: Audience;
}

/** How a query is answered for somebody. */
export interface SearchScope {
  readonly viewer: Viewer;
  readonly limit: number;
  /** Shorter words are no beginnings of words. */
  readonly minPrefixChars: number;
  /** Whether the answer says where the next page begins. */
  readonly isPaged: boolean;
}

/** A page of what was found. */
export interface FoundPage {
  readonly results: readonly DiscoveryEntry[];
  readonly cursor: string | undefined;
}

/** What somebody may see of a listing. */
type View = (listing: Listing) => Shown;

/** The company chooses its own audience. */
const UNBOUNDED: CompanyBounds = { groups: groupsOf('public'), partners: new Set() };

/** Listings, and the search over them. */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #index = new DirectoryIndex();
  readonly #memory = new WordMemory();
  readonly #disclosures = new Map<string, Disclosure>();
  readonly #unpublished: Disclosure;
  readonly #belongings = new Map<string, Set<string>>();
  readonly #listeners = new Set<(id: string) => void>();

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#unpublished = disclosureOf(undefined, options.defaultAudience);
  }

  /** Number of listings. */
  get size(): number {
    return this.#index.size;
  }

  /** Calls `listener` with the id of each listing that changed in any way. Returns the removal. */
  onChange(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds or replaces a listing. */
  put(listing: Listing): void {
    const { owner, id } = listing;
    const before = this.#index.get(id)?.listing.owner;
    if (before !== undefined && before !== owner) this.#disown(before, id);
    this.#index.put(listing.kind === 'person' ? this.#withStatus(listing) : listing);
    if (owner !== undefined) this.#own(owner, id);
    this.#changed(id);
    if (owner !== undefined) this.#refresh(owner);
  }

  /** Removes a listing, if it is there. */
  remove(id: string): void {
    const owner = this.#index.get(id)?.listing.owner;
    if (!this.#index.remove(id)) return;
    this.#changed(id);
    if (owner === undefined) return;
    this.#disown(owner, id);
    this.#refresh(owner);
  }

  /** Sets what a person, a service's account or a company shows; undefined: as one who has chosen nothing. */
  disclose(owner: string, disclosure: Disclosure | undefined): void {
    if (disclosure) this.#disclosures.set(owner, disclosure);
    else if (!this.#disclosures.delete(owner)) return;
    this.#changed(owner);
    for (const id of this.#belongings.get(owner) ?? []) this.#changed(id);
  }

  /** What a person shows. */
  disclosureOf(owner: string | undefined): Disclosure {
    return (owner !== undefined && this.#disclosures.get(owner)) || this.#unpublished;
  }

  /** Answers a query with what the viewer may see. @throws FabricError `invalid` for a malformed cursor */
  search(query: DiscoveryQuery, { viewer, limit, minPrefixChars, isPaged }: SearchScope): FoundPage {
    const asked = wanted(query, minPrefixChars, this.#memory);
    const { hits, topScore, cursor } = pageOf(this.#hits(asked, viewer), limit, query.cursor);
    const { domain } = this.#options;
    const results = hits.map(({ listing, shown, score }) => ({
      ...visiblePart(listing, shown),
      domain,
      score: topScore > 0 ? Math.round((score / topScore) * 1000) / 1000 : 1,
    }));
    return { results, cursor: isPaged ? cursor : undefined };
  }

  /** Whether a change of listing `id` may bring it into the answer; it may say so too often, never too rarely. */
  mayConcern(id: string, query: DiscoveryQuery, { viewer, minPrefixChars }: SearchScope): boolean {
    const found = this.#index.get(id);
    if (!found) return false;
    const asked = wanted(query, minPrefixChars, this.#memory);
    const shown = this.#viewOf(viewer)(found.listing);
    return shown !== NONE_SHOWN && fits(asked, found.listing, shown) && mayHaveWords(asked, found.listing);
  }

  #hits(asked: Wanted, viewer: Viewer): Iterable<Hit> {
    const view = this.#viewOf(viewer);
    return asked.words ? this.#hitsOfWords(asked, asked.words, view) : this.#hitsWithout(asked, view);
  }

  *#hitsWithout(asked: Wanted, view: View): Generator<Hit> {
    for (const { listing, sortKey } of this.#candidates(asked.query)) {
      const shown = view(listing);
      if (shown !== NONE_SHOWN && fits(asked, listing, shown)) yield { listing, sortKey, shown, score: 0 };
    }
  }

  /**
   * Each listing is searched in the fields that the viewer may see, and in no others: words in what may not be seen count
   * for nothing, else whoever asks for them would learn of them.
   */
  *#hitsOfWords(asked: Wanted, words: readonly string[], view: View): Generator<Hit> {
    const { minPrefixChars } = asked;
    // Who is found in the fields that may be seen is found in all fields, so the first search shows which sets there are.
    const sets = new Set<number>([ALL_FIELDS]);
    for (const set of sets) {
      const accepts = (listing: Listing): boolean => {
        const shown = view(listing);
        if (shown === NONE_SHOWN || !fits(asked, listing, shown)) return false;
        const own = fieldSetOf(listing, shown);
        sets.add(own);
        return own === set;
      };
      const found = this.#index.find({ words, fields: fieldsOf(set), minPrefixChars, accepts });
      for (const [id, score] of found) {
        const indexed = this.#index.get(id);
        if (indexed) yield { ...indexed, shown: view(indexed.listing), score };
      }
    }
  }

  #candidates({ id }: DiscoveryQuery): Iterable<Indexed> {
    if (id === undefined) return this.#index.all();
    const ids = [id, ...(this.#belongings.get(id) ?? [])];
    return ids.map((one) => this.#index.get(one)).filter((indexed) => indexed !== undefined);
  }

  /** What a viewer may see of each listing. Most people show the same, so it is worked out once for all of them. */
  #viewOf(viewer: Viewer): View {
    const { bounds } = this.#options;
    const known = new Map<Disclosure, Shown>();
    const ofOthers = (owner: string, disclosure: Disclosure): Shown => {
      const shown = known.get(disclosure) ?? shownTo(viewer, owner, { disclosure, bounds });
      known.set(disclosure, shown);
      return shown;
    };
    return ({ kind, id, owner = id }) => {
      const disclosure = this.disclosureOf(owner);
      if (kind === 'company') return shownTo(viewer, owner, { disclosure, bounds: UNBOUNDED });
      if (owner === viewer.userId) return ALL_SHOWN;
      const shown = ofOthers(owner, disclosure);
      // What belongs to a person is part of their presence.
      return kind === 'person' || shows(shown, 'presence') ? shown : NONE_SHOWN;
    };
  }

  /** A person is live when anything of theirs is. */
  #withStatus(person: Listing): Listing {
    const { status: _, ...rest } = person;
    const own = this.#belongings.get(person.id);
    if (!own) return rest;
    const isLive = [...own].some((id) => this.#index.get(id)?.listing.status === 'live');
    return { ...rest, status: isLive ? 'live' : 'disconnected' };
  }

  #refresh(owner: string): void {
    const person = this.#index.get(owner)?.listing;
    if (!person) return;
    const now = this.#withStatus(person);
    if (now.status === person.status) return;
    this.#index.put(now);
    this.#changed(owner);
  }

  #own(owner: string, id: string): void {
    const own = this.#belongings.get(owner) ?? new Set();
    this.#belongings.set(owner, own.add(id));
  }

  #disown(owner: string, id: string): void {
    const own = this.#belongings.get(owner);
    own?.delete(id);
    if (own?.size === 0) this.#belongings.delete(owner);
  }

  #changed(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }
}
