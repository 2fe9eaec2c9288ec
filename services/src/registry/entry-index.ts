/**
 * All entries in memory, found by what they are searched for. It takes rows as they are in the store and lets time pass;
 * whoever listens hears of each entry whose state, or what is said of it, has changed.
 */
import { ownerOf, type Address, type EntryKind, type EntryState, type RegistryEntry } from '@hyperty/runtime';
import { Bucket, type Placed } from './bucket.ts';
import { entryLiveness, livenessOf, type LivenessRules } from './liveness.ts';
import { placeOf, type EntryRow, type Holding, type LeaseRow } from './records.ts';

/** One entry in memory. */
export interface EntryRecord extends Placed {
  readonly holder: Holder;
  readonly owner: string;
  readonly kind: EntryKind;
  row: EntryRow;
  /** What listeners know of it. */
  shown: EntryState;
}

/** A runtime and its entries in memory. */
export interface Holder {
  lease: LeaseRow;
  readonly entries: Map<string, EntryRecord>;
  /** How many of them have left by themselves. */
  left: number;
  shown: EntryState;
  /** When its state, or that of one of its entries, changes by time alone. */
  dueAt: number;
}

/** Hears of entries that have changed. */
export type EntryListener = (records: readonly EntryRecord[]) => void;

/** By what entries are found. */
export type Facet = 'address' | 'owner' | 'runtime' | 'resource' | 'schema' | 'name' | 'reporter';

/** The facets of an entry, as texts that no two facets share. */
export function tokensOf({ row, owner, holder }: EntryRecord): string[] {
  const tokens = [
    token('address', row.address),
    token('owner', owner),
    token('runtime', holder.lease.runtime),
    ...row.resources.map((it) => token('resource', it)),
    ...row.schemas.map((it) => token('schema', it)),
  ];
  if (row.name !== undefined) tokens.push(token('name', row.name));
  if (row.reporter !== undefined) tokens.push(token('reporter', row.reporter));
  return tokens;
}

/** A facet with its value. */
export const token = (facet: Facet, value: string): string => `${facet} ${value}`;

/** The kind of what lives at an address. */
function kindOf(address: string): EntryKind {
  if (address.startsWith('hyperty:')) return 'hyperty';
  return address.startsWith('runtime:') ? 'runtime' : 'object';
}

/** Entries in memory. */
export class EntryIndex {
  readonly #rules: LivenessRules;
  readonly #listener: EntryListener;
  /** By the part that a runtime has in keys. */
  readonly #holders = new Map<string, Holder>();
  readonly #buckets = new Map<string, Bucket<EntryRecord>>();
  /** Parts of the keys of runtimes of which something is gone and may still be in the store. */
  readonly #gone = new Set<string>();
  readonly #perOwner = new Map<string, number>();
  #size = 0;

  constructor(rules: LivenessRules, listener: EntryListener) {
    this.#rules = rules;
    this.#listener = listener;
  }

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** What a runtime has registered. @param part of its keys */
  holder(part: string): Holder | undefined {
    return this.#holders.get(part);
  }

  /** All runtimes, by the parts of their keys. */
  get holders(): ReadonlyMap<string, Holder> {
    return this.#holders;
  }

  /** Number of runtimes of an owner. */
  runtimesOf(owner: string): number {
    return this.#perOwner.get(owner) ?? 0;
  }

  /** Runtimes of which something is gone and may still be in the store. */
  get goneParts(): readonly string[] {
    return [...this.#gone];
  }

  /** Entries of a facet; undefined when there are none. */
  bucket(of: string): Bucket<EntryRecord> | undefined {
    return this.#buckets.get(of);
  }

  /** Takes what a runtime has registered as it is now; undefined: nothing. Tells what has changed. */
  put(part: string, holding: Holding | undefined): void {
    this.#gone.delete(part);
    if (!holding || livenessOf(holding.lease, this.#rules).state === 'gone') {
      if (holding) this.#gone.add(part);
      this.#drop(part);
      return;
    }
    const known = this.#holders.get(part);
    const holder: Holder = known ?? {
      lease: holding.lease,
      entries: new Map(),
      left: 0,
      shown: 'gone',
      dueAt: 0,
    };
    if (!known) this.#count(holder, 1);
    this.#holders.set(part, holder);
    holder.lease = holding.lease;
    const rows = new Map(holding.entries.map((row) => [row.address, row]));
    const changed: EntryRecord[] = [];
    for (const record of [...holder.entries.values()])
      if (!rows.has(record.row.address)) changed.push(this.#remove(record));
    for (const row of rows.values()) this.#putEntry(holder, row, changed);
    holder.left = holding.entries.filter(({ endedAt }) => endedAt !== undefined).length;
    this.#putLease(holder, holding.lease, changed);
  }

  /** Takes a lease as it is now; entries stay as they are. Does nothing for a runtime that is not here. */
  putLease(part: string, lease: LeaseRow): void {
    const holder = this.#holders.get(part);
    if (holder) this.#putLease(holder, lease, []);
  }

  /** Lets time have passed: tells what has changed by it. Returns when something will change next. */
  pass(): number {
    const now = this.#rules.now();
    let next = Infinity;
    for (const [part, holder] of [...this.#holders]) {
      if (holder.dueAt <= now) this.#pass(part, holder);
      if (this.#holders.has(part)) next = Math.min(next, holder.dueAt);
    }
    return next;
  }

  /** An entry as others see it. */
  view(record: EntryRecord): RegistryEntry {
    const { row, holder, owner, kind } = record;
    const { lease } = holder;
    const isHere = holder.entries.get(row.address) === record;
    const { state, since, until } = entryLiveness(row, lease, this.#rules);
    const { address, descriptor, resources, schemas, name, reporter, startedAt } = row;
    return {
      address,
      kind,
      owner,
      runtime: lease.runtime,
      ...(descriptor === undefined ? {} : { descriptor }),
      resources: resources as string[],
      schemas: schemas as string[],
      ...(name === undefined ? {} : { name }),
      ...(reporter === undefined ? {} : { reporter }),
      state: isHere ? state : 'gone',
      startedAt,
      changedAt: Math.max(row.changedAt, since),
      expiresAt: Number.isFinite(until) ? until : since,
    };
  }

  /** How an entry is now. */
  stateOf({ row, holder: { lease } }: EntryRecord): EntryState {
    return entryLiveness(row, lease, this.#rules).state;
  }

  #pass(part: string, holder: Holder): void {
    const isGone = livenessOf(holder.lease, this.#rules).state === 'gone';
    if (isGone || holder.left > 0) this.#gone.add(part);
    if (isGone) this.#drop(part);
    else this.#putLease(holder, holder.lease, []);
  }

  #putLease(holder: Holder, lease: LeaseRow, changed: EntryRecord[]): void {
    const { state, until } = livenessOf(lease, this.#rules);
    const isSame = state === holder.shown && holder.left === 0;
    holder.lease = lease;
    holder.shown = state;
    holder.dueAt = until;
    // A renewal changes nothing that anybody is told.
    if (!isSame) this.#review(holder, changed);
    if (changed.length > 0) this.#listener(changed);
  }

  /** Looks at each entry of a runtime. */
  #review(holder: Holder, changed: EntryRecord[]): void {
    const told = new Set(changed);
    for (const record of [...holder.entries.values()]) {
      const { state, until } = entryLiveness(record.row, holder.lease, this.#rules);
      holder.dueAt = Math.min(holder.dueAt, until);
      const isChanged = record.shown !== state;
      record.shown = state;
      if (state === 'gone') this.#remove(record);
      if (isChanged && !told.has(record)) changed.push(record);
    }
  }

  #putEntry(holder: Holder, row: EntryRow, changed: EntryRecord[]): void {
    const known = holder.entries.get(row.address);
    if (known && JSON.stringify(known.row) === JSON.stringify(row)) return;
    if (known) this.#remove(known);
    const dropped = known && tokensOf(known).some((it) => !tokensOf({ ...known, row }).includes(it));
    if (dropped) changed.push(known); // gone for those who looked for what it no longer has
    const { runtime } = holder.lease;
    const record: EntryRecord = {
      place: placeOf(runtime, row.address),
      holder,
      owner: ownerOf(row.address as Address) ?? '',
      kind: kindOf(row.address),
      row,
      shown: 'gone',
    };
    record.shown = this.stateOf(record);
    if (record.shown === 'gone') return;
    holder.entries.set(row.address, record);
    this.#size += 1;
    for (const of of tokensOf(record)) {
      const bucket = this.#buckets.get(of) ?? new Bucket<EntryRecord>();
      bucket.add(record);
      this.#buckets.set(of, bucket);
    }
    changed.push(record);
  }

  #remove(record: EntryRecord): EntryRecord {
    if (record.holder.entries.get(record.row.address) !== record) return record;
    record.holder.entries.delete(record.row.address);
    this.#size -= 1;
    for (const of of tokensOf(record)) {
      const bucket = this.#buckets.get(of);
      bucket?.remove(record);
      if (bucket?.size === 0) this.#buckets.delete(of);
    }
    return record;
  }

  #drop(part: string): void {
    const holder = this.#holders.get(part);
    if (!holder) return;
    this.#holders.delete(part);
    this.#count(holder, -1);
    const gone = [...holder.entries.values()].map((record) => this.#remove(record));
    if (gone.length > 0) this.#listener(gone);
  }

  #count({ lease: { runtime } }: Holder, by: number): void {
    const owner = ownerOf(runtime) ?? '';
    const count = (this.#perOwner.get(owner) ?? 0) + by;
    if (count > 0) this.#perOwner.set(owner, count);
    else this.#perOwner.delete(owner);
  }
}
