/**
 * The catalogue of a domain: descriptors of what can be run, by name and version, and packages by the hash of their bytes. Who
 * publishes a name first owns it; what is published never changes. The store is all it knows: any number of processes
 * serve one catalogue.
 */
import { FabricError, type Clock, type Store } from '@hyperty/runtime';
import { catalogueContract, isSuccession, type CatalogueEntry } from '@hyperty/runtime/catalogue';
import type { Caller } from '../domain/caller.ts';
import { defineService, type AnyService, type OperationTable } from '../domain/service.ts';
import { fetchPackage, putPackage } from './packages.ts';
import { publish } from './publication.ts';
import {
  readAccount,
  readDescriptor,
  requireShelf,
  writes,
  type Title,
  type VersionRecord,
} from './records.ts';
import { bestFor, candidates, highestFirst, tagsOf } from './resolution.ts';
import { createSearchIndex, type SearchIndex } from './search-index.ts';
import { deprecate, setTag, yank } from './upkeep.ts';
import { createWriteTurns, type TakeTurn } from './write-turn.ts';

/** What a catalogue needs. */
export interface CatalogueOptions {
  /** Its own store, or one that the processes of the domain share. */
  readonly store: Store;
  readonly clock: Clock;
}

type CatalogueOperations = (typeof catalogueContract)['operations'];
type Table = OperationTable<CatalogueOperations>;

interface Parts extends CatalogueOptions {
  readonly takeTurn: TakeTurn;
  readonly index: SearchIndex;
}

/** Creates the catalogue of one domain. */
export function createCatalogue(options: CatalogueOptions): AnyService {
  const { store, clock } = options;
  const takeTurn = createWriteTurns(store, clock, `catalogue-${crypto.randomUUID()}`);
  const parts: Parts = { ...options, takeTurn, index: createSearchIndex(store) };
  return defineService<CatalogueOperations>({
    contract: catalogueContract,
    description:
      'What can be run: descriptors of hyperties, protostubs, runtimes and data schemas, and packages of code.',
    operations: {
      ...readings(parts),
      ...resolving(parts),
      ...publishing(parts),
      ...upkeep(parts),
      ...packages(parts),
    },
    start: () => parts.index.start(),
    stop: () => parts.index.stop(),
  });
}

/** The state of one version may change, so a reader asks again; what has not changed is not sent again. */
const ASK_AGAIN = 'no-cache';
const FOR_EVER = 'public, max-age=31536000, immutable';

function readings({ store, index }: Parts): Pick<Table, 'get' | 'versions' | 'search'> {
  return {
    get: {
      summary: 'The descriptor of a version, by its number, a range or a tag.',
      access: 'partner',
      rest: { method: 'get', path: '/descriptors/:kind/:name', cacheControl: ASK_AGAIN },
      handle: async ({ wanted, ...title }) => {
        const [best] = candidates(await requireShelf(store, title), wanted);
        if (!best) throw new FabricError('not-found', `There is no such version of ${title.name}.`);
        return entryOf(store, title, best);
      },
    },
    versions: {
      summary: 'All versions of a name, its tags and its owner.',
      access: 'partner',
      rest: { method: 'get', path: '/descriptors/:kind/:name/versions', cacheControl: ASK_AGAIN },
      handle: async (title) => {
        const shelf = await requireShelf(store, title);
        const versions = highestFirst(shelf.versions).map(({ constraints: _of, ...record }) => record);
        return { ...title, owner: shelf.owner, tags: tagsOf(shelf), versions };
      },
    },
    search: {
      summary: 'Names by words of their name, keywords and description.',
      access: 'partner',
      rest: { method: 'get', path: '/search' },
      handle: (query) => index.search(query),
    },
  };
}

function resolving({ store }: Parts): Pick<Table, 'resolve'> {
  return {
    resolve: {
      summary: 'The best version that a runtime with these capabilities can run.',
      access: 'partner',
      rest: {
        method: 'get',
        path: '/resolve/:kind/:name',
        lists: ['capabilities'],
        cacheControl: ASK_AGAIN,
      },
      handle: async ({ wanted, runtime, capabilities, ...title }) => {
        const shelf = await requireShelf(store, title);
        const best = bestFor(shelf, candidates(shelf, wanted), { kind: runtime, capabilities });
        return entryOf(store, title, best);
      },
    },
  };
}

function publishing({ store, clock, takeTurn }: Parts): Pick<Table, 'publish' | 'replace-key'> {
  return {
    publish: {
      summary: 'Publishes a version; its package must be here already.',
      access: 'company',
      cost: 5,
      rest: { method: 'post', path: '/descriptors' },
      handle: async ({ descriptor, tag }, { caller }) => {
        const publication = { descriptor, tag, owner: ownerOf(caller) };
        const { created, shelf } = await publish(publication, { store, clock, takeTurn });
        const { kind, name, version } = descriptor;
        return { kind, name, version, created, tags: tagsOf(shelf) };
      },
    },
    'replace-key': {
      summary: "Replaces the caller's publishing key, by a signature with the one until now.",
      access: 'company',
      rest: { method: 'post', path: '/key' },
      handle: ({ publicKey, signature }, { caller }) =>
        takeTurn(async ({ commit }) => {
          const owner = ownerOf(caller);
          const known = await readAccount(store, owner);
          if (known?.publicKey === publicKey) return { publicKey }; // the same request again
          if (known === undefined)
            throw new FabricError(
              'not-found',
              `${owner} has published nothing yet, so there is no key to replace.`,
            );
          if (!(await isSuccession({ owner, next: publicKey, signature }, known.publicKey)))
            throw new FabricError('forbidden', `This is not signed with the key of ${owner}.`);
          await commit([writes.account(owner, { ...known, publicKey })]);
          return { publicKey };
        }),
    },
  };
}

function upkeep({ store, takeTurn }: Parts): Pick<Table, 'tag' | 'deprecate' | 'yank'> {
  const parts = { store, takeTurn };
  return {
    tag: {
      summary: 'Lets a tag lead to a version, or removes it (version null).',
      access: 'company',
      rest: { method: 'put', path: '/descriptors/:kind/:name/tags/:tag' },
      handle: (change, { caller }) => setTag(change, ownerOf(caller), parts),
    },
    deprecate: {
      summary: 'Says why a version should no longer be used, or takes that back (reason null).',
      access: 'company',
      rest: { method: 'put', path: '/descriptors/:kind/:name/versions/:version/deprecation' },
      handle: (change, { caller }) => deprecate(change, ownerOf(caller), parts),
    },
    yank: {
      summary: 'Withdraws a version from ranges and tags, or takes that back (reason null).',
      access: 'company',
      rest: { method: 'put', path: '/descriptors/:kind/:name/versions/:version/withdrawal' },
      handle: (change, { caller }) => yank(change, ownerOf(caller), parts),
    },
  };
}

function packages({ store, clock, takeTurn }: Parts): Pick<Table, 'put-package' | 'fetch-package'> {
  return {
    'put-package': {
      summary: 'Takes a package; the descriptor that names it is to follow within a day.',
      access: 'company',
      cost: 20,
      rest: { method: 'put', path: '/packages/:sha256', rawBody: 'bytes' },
      handle: (input, { caller }) => putPackage(input, ownerOf(caller), { store, clock, takeTurn }),
    },
    'fetch-package': {
      summary: 'The bytes of a package. Whoever knows its hash may have it.',
      access: 'public',
      cost: 5,
      rest: {
        method: 'get',
        path: '/packages/:sha256',
        cacheControl: FOR_EVER,
        render: ({ bytes }: { readonly bytes: string }) => ({
          contentType: 'application/json',
          body: Buffer.from(bytes, 'base64'),
        }),
      },
      handle: ({ sha256 }) => fetchPackage(store, sha256),
    },
  };
}

function ownerOf(caller: Caller | undefined): string {
  if (caller) return caller.owner;
  throw new FabricError('unauthenticated', 'The catalogue must know who publishes.');
}

async function entryOf(store: Store, title: Title, record: VersionRecord): Promise<CatalogueEntry> {
  const { version, sha256: _hash, constraints: _of, ...state } = record;
  return { descriptor: await readDescriptor(store, title, version), ...state };
}
