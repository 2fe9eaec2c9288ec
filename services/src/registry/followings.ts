/** Who follows which entries: each change reaches those whom it concerns, many at once in one update. */
import type { RegistryEntry } from '@hyperty/runtime';
import { tokensOf, type EntryRecord } from './entry-index.ts';
import { charsOf, MESSAGE_CHARS } from './entry-size.ts';
import { matches, type Query } from './search.ts';

type Tell = (update: { entries: RegistryEntry[] }) => void;

interface Following {
  readonly query: Query;
  readonly tell: Tell;
}

/** Followers of entries. */
export class Followings {
  /** By one of the tokens of their queries. */
  readonly #byToken = new Map<string, Set<Following>>();
  readonly #forAll = new Set<(entries: readonly RegistryEntry[]) => void>();
  readonly #view: (record: EntryRecord) => RegistryEntry;

  constructor(view: (record: EntryRecord) => RegistryEntry) {
    this.#view = view;
  }

  /** Begins to follow all entries that match one of the queries, whatever their state. Returns what ends it. */
  add(queries: readonly Query[], tell: Tell): () => void {
    const filed = queries.map((query) => ({ first: query.tokens[0] ?? '', following: { query, tell } }));
    for (const { first, following } of filed) {
      const siblings = this.#byToken.get(first) ?? new Set<Following>();
      siblings.add(following);
      this.#byToken.set(first, siblings);
    }
    return () => {
      for (const { first, following } of filed) {
        const siblings = this.#byToken.get(first);
        siblings?.delete(following);
        if (siblings?.size === 0) this.#byToken.delete(first);
      }
    };
  }

  /** Begins to follow all entries. Returns what ends it. */
  addForAll(listener: (entries: readonly RegistryEntry[]) => void): () => void {
    this.#forAll.add(listener);
    return () => this.#forAll.delete(listener);
  }

  /** Tells who follows them that entries have changed. */
  changed(records: readonly EntryRecord[]): void {
    if (this.#forAll.size > 0) {
      const views = records.map((record) => this.#view(record));
      for (const listener of this.#forAll) listener(views);
    }
    if (this.#byToken.size === 0) return;
    const news = new Map<Tell, RegistryEntry[]>();
    for (const record of records) this.#gather(record, news);
    for (const [tell, entries] of news) for (const portion of portionsOf(entries)) tell({ entries: portion });
  }

  #gather(record: EntryRecord, news: Map<Tell, RegistryEntry[]>): void {
    const tokens = tokensOf(record);
    const has = new Set(tokens);
    const told = new Set<Tell>();
    let view: RegistryEntry | undefined;
    for (const it of has)
      for (const { query, tell } of this.#byToken.get(it) ?? []) {
        if (told.has(tell) || !matches(query, record, has)) continue;
        told.add(tell);
        view ??= this.#view(record);
        const entries = news.get(tell);
        if (entries) entries.push(view);
        else news.set(tell, [view]);
      }
  }
}

/** Entries as they fit into messages. */
function portionsOf(entries: readonly RegistryEntry[]): RegistryEntry[][] {
  const portions: RegistryEntry[][] = [];
  let chars = Infinity;
  for (const entry of entries) {
    if (chars >= MESSAGE_CHARS) {
      portions.push([]);
      chars = 0;
    }
    portions.at(-1)?.push(entry);
    chars += charsOf(entry);
  }
  return portions;
}
