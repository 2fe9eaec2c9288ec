/**
 * The registry of a domain: which hyperties, data objects and runtimes there are, in which runtime each is, and whether it is
 * live. Entries are soft state under the lease of their runtime. All of it is in the store; what is read is in memory,
 * and follows the store, which any number of processes share.
 */
import { addressParts, FabricError, LEASE_SECONDS, parseAddress, registryContract, silentLogger, type Clock, type Logger, type RegistryEntry, type Store } from '@hyperty/runtime'; // prettier-ignore
import type { Caller } from '../domain/caller.ts';
import { defineService, type AnyService, type CallContext, type FollowContext, type OperationTable } from '../domain/service.ts'; // prettier-ignore
import { EntryIndex, token } from './entry-index.ts';
import { Followings } from './followings.ts';
import { requireCaller } from './ownership.ts';
import { partOf } from './records.ts';
import { disconnect, register, remove, renew, runtimeLeft, update, type RegistrationDeps, type RegistryLimits } from './registration.ts'; // prettier-ignore
import { Replica } from './replica.ts';
import { queryOf, search, type Query } from './search.ts';

/** What a registry needs. */
export interface RegistryOptions {
  /** Its own store, or one that the processes of the domain share. */
  readonly store: Store;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Longest lease. Default 3,600. */
  readonly maxLeaseSeconds?: number;
  /** Leases after which what is disconnected is gone. Default 10. */
  readonly graceLeases?: number;
  /** Says whether a caller may find what somebody runs: their user id, and who asks. Default: everybody may. */
  readonly mayFind?: (userId: string, caller: Caller) => boolean;
  /** Default: 20,000 entries and 256 runtimes of one account. */
  readonly limits?: Partial<RegistryLimits>;
}

/** The registry as it is served, and as the other services of its process see it. */
export interface RegistryService extends AnyService {
  /** All entries that are not gone, of all owners. */
  entries(): Iterable<RegistryEntry>;
  /** Calls `listener` with entries that have changed, as they are now. Returns what ends it. */
  onChange(listener: (entries: readonly RegistryEntry[]) => void): () => void;
}

type RegistryOperations = (typeof registryContract)['operations'];
type Table = OperationTable<RegistryOperations>;

interface Parts extends RegistrationDeps, Pick<RegistryOptions, 'mayFind'> {
  readonly followings: Followings;
}

const LIMITS: RegistryLimits = { entriesPerOwner: 20_000, runtimesPerOwner: 256 };

/** Creates the registry of one domain. */
export function createRegistry(options: RegistryOptions): RegistryService {
  const parts = partsOf(options);
  const { index, followings } = parts;
  const service = defineService<RegistryOperations>({
    contract: registryContract,
    description: 'What runs: hyperties, data objects and runtimes, where each is, and whether it is live.',
    operations: { ...registering(parts), ...changing(parts), ...reading(parts) },
    start: () => parts.replica.start(),
    stop: () => parts.replica.stop(),
    runtimeLeft: async (runtime) => {
      // Most who call have nothing here: for them the store is not asked.
      if (index.holder(partOf(runtime))) await runtimeLeft(runtime, parts);
    },
  });
  return {
    ...service,
    *entries() {
      for (const { entries } of index.holders.values())
        for (const record of entries.values()) yield index.view(record);
    },
    onChange: (listener) => followings.addForAll(listener),
  };
}

function partsOf({ store, clock, logger = silentLogger, ...options }: RegistryOptions): Parts {
  const now = (): number => clock.now();
  const rules = { now, graceLeases: options.graceLeases ?? 10 };
  const index: EntryIndex = new EntryIndex(rules, (records) => {
    followings.changed(records);
  });
  const followings = new Followings((record) => index.view(record));
  const holder = `registry-${crypto.randomUUID()}`;
  return {
    index,
    followings,
    rules,
    now,
    replica: new Replica({ store, clock, index, rules, logger, holder }),
    limits: { ...LIMITS, ...options.limits },
    maxLeaseSeconds: options.maxLeaseSeconds ?? LEASE_SECONDS.longest,
    ...(options.mayFind ? { mayFind: options.mayFind } : {}),
  };
}

function registering(parts: Parts): Pick<Table, 'register' | 'renew' | 'disconnect'> {
  return {
    register: {
      summary: 'Registers the entries of a runtime, in place of those before, or beside them (add).',
      access: 'company',
      cost: 5,
      rest: { method: 'put', path: '/leases/*runtime' },
      handle: (input, { caller }) => register(input, requireCaller(caller), parts),
    },
    renew: {
      summary: 'Renews the lease of a runtime, for all its entries.',
      access: 'company',
      rest: { method: 'post', path: '/leases/*runtime' },
      handle: (input, { caller }) => renew(input, requireCaller(caller), parts),
    },
    disconnect: {
      summary: 'A runtime leaves with all its entries, or with some of them.',
      access: 'company',
      rest: { method: 'delete', path: '/leases/*runtime', lists: ['address'] },
      handle: async (input, { caller }) => ({
        entries: await disconnect(input, requireCaller(caller), parts),
      }),
    },
  };
}

function changing(parts: Parts): Pick<Table, 'update' | 'remove'> {
  return {
    update: {
      summary: 'Changes what is said of an entry; fields that are not given stay.',
      access: 'company',
      rest: { method: 'put', path: '/entries/*address' },
      handle: async (input, { caller }) => ({
        entries: lookUp([await update(input, requireCaller(caller), parts)], parts),
      }),
    },
    remove: {
      summary: 'Removes entries at once.',
      access: 'company',
      rest: { method: 'delete', path: '/entries/*address' },
      handle: async (input, { caller }) => ({ entries: await remove(input, requireCaller(caller), parts) }),
    },
  };
}

function reading(parts: Parts): Pick<Table, 'look-up' | 'search'> {
  const { index, followings } = parts;
  return {
    'look-up': {
      summary: 'The entries of an address, or of several: where it is, and whether it is live.',
      access: 'partner',
      rest: { method: 'get', path: '/entries/*address' },
      handle: ({ address }, { caller }) => {
        const entries = lookUp([address].flat(), parts).filter(seenBy(caller, parts));
        if (typeof address !== 'string' || entries.length > 0) return { entries };
        throw new FabricError('not-found', `${address} is not registered; its owner may not run it.`);
      },
      follow: ({ address }, context) => {
        const queries = [address]
          .flat()
          .map((it): Query => ({ tokens: [token('address', parseAddress(it))] }));
        return followings.add(queries, telling(context, parts));
      },
    },
    search: {
      summary: 'Entries by owner, runtime, resources, schemas, name or reporter.',
      access: 'partner',
      cost: 2,
      rest: { method: 'get', path: '/entries', lists: ['resources', 'schemas'] },
      handle: (input, context) => {
        const { entries, ...rest } = search(index, allowed(queryOf(input), context), input);
        return { ...rest, entries: entries.filter(seenBy(context.caller, parts)) };
      },
      follow: (input, context) => followings.add([allowed(queryOf(input), context)], telling(context, parts)),
    },
  };
}

/** @throws FabricError `invalid` */
function lookUp(addresses: readonly string[], { index }: Parts): RegistryEntry[] {
  return addresses.flatMap((text) => {
    const bucket = index.bucket(token('address', parseAddress(text)));
    if (!bucket) return [];
    const entries = Array.from(bucket.after(undefined), (record) => index.view(record));
    return entries.filter(({ state }) => state !== 'gone').sort(byLiveliness);
  });
}

const byLiveliness = (a: RegistryEntry, b: RegistryEntry): number =>
  Number(b.state === 'live') - Number(a.state === 'live') || b.changedAt - a.changedAt;

/** Each sees what is their own, and of others what these show. */
function seenBy(caller: Caller | undefined, { mayFind }: Parts): (entry: RegistryEntry) => boolean {
  const asking = requireCaller(caller);
  if (!mayFind) return () => true;
  return ({ address, owner }) => owner === asking.owner || mayFind(userIdOf(address), asking);
}

/** Tells a follower of what it may see at that time. */
function telling({ caller, update }: FollowContext<{ entries: RegistryEntry[] }>, parts: Parts) {
  const isSeen = seenBy(caller, parts);
  return ({ entries }: { entries: RegistryEntry[] }): void => {
    const seen = entries.filter(isSeen);
    if (seen.length > 0) update({ entries: seen });
  };
}

function userIdOf(address: string): string {
  const { domain, path } = addressParts(parseAddress(address));
  return `@${path[0] ?? ''}:${domain}`;
}

/** Whom a company shows its partners is for discovery to decide: they ask here of people whom they know. */
function allowed(query: Query, { caller }: CallContext): Query {
  const isNamed = query.tokens.some((it) => it.startsWith('owner ') || it.startsWith('runtime '));
  if (requireCaller(caller).isLocal || isNamed) return query;
  throw new FabricError(
    'forbidden',
    'A partner must name the owner of what it searches for; ask discovery to find people and what they offer.',
  );
}
