/** What the registry keeps in its store: one row for each runtime's lease, one for each entry. */
import { createHash } from 'node:crypto';
import { under, type Entry, type RuntimeAddress, type Store, type Write } from '@hyperty/runtime';

/** The lease of a runtime; a renewal writes this row alone. */
export interface LeaseRow {
  readonly runtime: RuntimeAddress;
  readonly leaseMs: number;
  readonly expiresAt: number;
  readonly startedAt: number;
  /** When it came, or came back. */
  readonly changedAt: number;
  /** When the runtime left, or its link ended; a renewal takes that back. */
  readonly endedAt?: number;
}

/** What a runtime said of one entry. */
export interface EntryRow {
  readonly address: string;
  readonly descriptor?: string;
  readonly resources: readonly string[];
  readonly schemas: readonly string[];
  readonly name?: string;
  readonly reporter?: string;
  readonly startedAt: number;
  readonly changedAt: number;
  /** When this one entry left. */
  readonly endedAt?: number;
}

/** A runtime with all that it has registered. */
export interface Holding {
  readonly lease: LeaseRow;
  readonly entries: readonly EntryRow[];
}

const LEASES = 'service/lease/';
const ENTRIES = 'service/entry/';
/** Prefix of all that the registry keeps. */
export const WATCHED = 'service/';
/** The right to delete what is gone. */
export const SWEEPER = 'service/registry/sweeper';

/** No address has it, and keys sort the same with it or without. */
const SEPARATOR = '|';
const MAX_PART_CHARS = 480;

/** An address as a part of a key: addresses are printable ASCII, and two long ones would make too long a key. */
export const partOf = (address: string): string =>
  address.length <= MAX_PART_CHARS ? address : `~${createHash('sha256').update(address).digest('hex')}`;

const leaseKey = (runtime: string): string => LEASES + partOf(runtime);
/** Order of entries and their place in pages. */
export const placeOf = (runtime: string, address: string): string =>
  `${partOf(runtime)}${SEPARATOR}${partOf(address)}`;

/** Writes of each kind of row. */
export const writes = {
  lease: (row: LeaseRow): Write => ({ key: leaseKey(row.runtime), value: JSON.stringify(row) }),
  noLease: (runtime: string): Write => ({ key: leaseKey(runtime), value: null }),
  entry: (runtime: string, row: EntryRow): Write => ({
    key: ENTRIES + placeOf(runtime, row.address),
    value: JSON.stringify(row),
  }),
  noEntry: (runtime: string, address: string): Write => ({
    key: ENTRIES + placeOf(runtime, address),
    value: null,
  }),
};

/** Reads what one runtime has registered. @param part {@link partOf} of the runtime @throws FabricError `storage` */
export async function readHolding(store: Store, part: string): Promise<Holding | undefined> {
  const lease = await readLease(store, part);
  if (!lease) return undefined;
  const rows = await readAll(store, `${ENTRIES}${part}${SEPARATOR}`);
  return { lease, entries: rows.map(({ value }) => JSON.parse(value) as EntryRow) };
}

/** Reads the lease of one runtime alone. @throws FabricError `storage` */
export async function readLease(store: Store, part: string): Promise<LeaseRow | undefined> {
  const text = await store.get(LEASES + part);
  return text === undefined ? undefined : (JSON.parse(text) as LeaseRow);
}

/** Reads all. Entries without a lease are not given. @throws FabricError `storage` */
export async function readAllHoldings(store: Store): Promise<readonly Holding[]> {
  const leases = await readAll(store, LEASES);
  const entries = new Map<string, EntryRow[]>();
  for (const { key, value } of await readAll(store, ENTRIES)) {
    const part = key.slice(ENTRIES.length, key.indexOf(SEPARATOR));
    const rows = entries.get(part);
    const row = JSON.parse(value) as EntryRow;
    if (rows) rows.push(row);
    else entries.set(part, [row]);
  }
  return leases.map(({ key, value }) => ({
    lease: JSON.parse(value) as LeaseRow,
    entries: entries.get(key.slice(LEASES.length)) ?? [],
  }));
}

/** The parts of keys of all runtimes that have a lease. @throws FabricError `storage` */
export const readParts = async (store: Store): Promise<readonly string[]> =>
  (await readAll(store, LEASES)).map(({ key }) => key.slice(LEASES.length));

/** Which runtimes' rows have changed: by the part of their keys, and whether more than the lease has. */
export function changesIn(keys: readonly string[]): ReadonlyMap<string, { readonly entries: boolean }> {
  const changes = new Map<string, { entries: boolean }>();
  for (const key of keys) {
    const isEntry = key.startsWith(ENTRIES);
    if (!isEntry && !key.startsWith(LEASES)) continue;
    const part = isEntry ? key.slice(ENTRIES.length, key.indexOf(SEPARATOR)) : key.slice(LEASES.length);
    changes.set(part, { entries: isEntry || (changes.get(part)?.entries ?? false) });
  }
  return changes;
}

async function readAll(store: Store, prefix: string): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  const { from, to } = under(prefix);
  let start = from;
  for (;;) {
    const page = await store.range({ from: start, to });
    const last = page.at(-1);
    if (!last) return all;
    for (const entry of page) all.push(entry);
    start = `${last.key}!`; // "!" is the lowest character that a key may have
  }
}
