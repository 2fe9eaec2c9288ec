/** What search looks at: the latest version of each name, in memory, built from the store and kept up with it. */
import type { Store } from '@hyperty/runtime';
import type { CatalogueFind, DescriptorKind } from '@hyperty/runtime/catalogue';
import { latestOf } from './publication.ts';
import {
  readDescriptor,
  readShelf,
  readTitles,
  titleOf,
  WATCHED,
  type Shelf,
  type Title,
} from './records.ts';
import { highestFirst } from './resolution.ts';

/** What is searched for. */
export interface SearchQuery {
  readonly text?: string | undefined;
  readonly kind?: DescriptorKind | undefined;
  readonly keyword?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** Searches names. */
export interface SearchIndex {
  start(): Promise<void>;
  stop(): void;
  search(query: SearchQuery): Promise<{ readonly found: CatalogueFind[]; readonly total: number }>;
}

/** Creates the index of a store's names. */
export function createSearchIndex(store: Store): SearchIndex {
  const finds = new Map<string, CatalogueFind>();
  let last: Promise<unknown> = Promise.resolve();
  let unwatch: (() => void) | undefined;
  /** One after the other, so that what was read later is kept later. */
  const refresh = (titles: () => Promise<readonly Title[]>): void => {
    last = last
      .then(async () => {
        for (const title of await titles()) {
          const shelf = await readShelf(store, title);
          const find = shelf && (await findOf(shelf, store));
          if (find) finds.set(`${title.kind}/${title.name}`, find);
          else finds.delete(`${title.kind}/${title.name}`);
        }
      })
      .catch(() => refreshLater());
  };
  let isStale = false;
  const refreshLater = (): void => void (isStale = true);
  const refreshAll = (): void => {
    isStale = false;
    refresh(() => readTitles(store));
  };
  return {
    start: async () => {
      unwatch = store.watch(WATCHED, (keys) => {
        if (keys === undefined) refreshAll();
        else refresh(() => Promise.resolve(keys.flatMap((key) => titleOf(key) ?? [])));
      });
      refreshAll();
      await last;
    },
    stop: () => unwatch?.(),
    search: async (query) => {
      if (isStale) refreshAll();
      await last;
      return pick([...finds.values()], query);
    },
  };
}

async function findOf(shelf: Shelf, store: Store): Promise<CatalogueFind | undefined> {
  const standing = highestFirst(shelf.versions).filter(({ yanked }) => yanked === undefined);
  const latest = latestOf(shelf);
  const record = standing.find((it) => it.version === latest) ?? standing[0];
  if (!record) return undefined;
  const { version, deprecated } = record;
  const { kind, name, description, keywords = [] } = await readDescriptor(store, shelf, version);
  const find = { kind, name, version, description, keywords, owner: shelf.owner };
  return deprecated === undefined ? find : { ...find, deprecated };
}

function pick(
  finds: readonly CatalogueFind[],
  { text = '', kind, keyword, limit, offset }: SearchQuery,
): { found: CatalogueFind[]; total: number } {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const ranked = finds
    .filter((find) => kind === undefined || find.kind === kind)
    .filter((find) => keyword === undefined || find.keywords.includes(keyword))
    .map((find) => ({ find, rank: rankOf(find, words) }))
    .filter(({ rank }) => rank > 0)
    .sort(
      (a, b) =>
        b.rank - a.rank || compareText(a.find.name, b.find.name) || compareText(a.find.kind, b.find.kind),
    );
  return { found: ranked.slice(offset, offset + limit).map(({ find }) => find), total: ranked.length };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Every word must be somewhere; 0 when one is not. A name counts most, and what is deprecated least. */
function rankOf(
  { name, keywords, description, deprecated }: CatalogueFind,
  words: readonly string[],
): number {
  const about = description.toLowerCase();
  const scores = words.map((word) => {
    if (name === word) return 8;
    if (name.startsWith(word)) return 6;
    if (keywords.includes(word)) return 5;
    if (name.includes(word)) return 4;
    if (keywords.some((it) => it.startsWith(word))) return 3;
    return about.includes(word) ? 2 : 0;
  });
  if (scores.includes(0)) return 0;
  const sum = scores.reduce<number>((total, score) => total + score, 1);
  return deprecated === undefined ? sum : sum / 100;
}
