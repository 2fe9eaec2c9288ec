/** What runtimes do with their entries: register, renew, change, leave, remove. Each is one batch of the store. */
import { FabricError, LEASE_SECONDS, parseAddress, type Address, type registryContract, type RuntimeAddress, type Write } from '@hyperty/runtime'; // prettier-ignore
import type * as z from 'zod';
import type { Caller } from '../domain/caller.ts';
import { token, type EntryIndex } from './entry-index.ts';
import { draftsOf, patched, rowOf } from './entry-rows.ts';
import { livenessOf, type LivenessRules } from './liveness.ts';
import { ownAddress, ownRuntime } from './ownership.ts';
import { partOf, writes, type EntryRow, type LeaseRow } from './records.ts';
import type { Replica } from './replica.ts';

type Operations = (typeof registryContract)['operations'];
type Input<N extends keyof Operations> = z.output<Operations[N]['input']>;

/** How much one registry keeps. */
export interface RegistryLimits {
  /** Entries of one account at most. */
  readonly entriesPerOwner: number;
  /** Runtimes of one account at most. */
  readonly runtimesPerOwner: number;
}

/** What registering needs. */
export interface RegistrationDeps {
  readonly replica: Replica;
  readonly index: EntryIndex;
  readonly rules: LivenessRules;
  readonly limits: RegistryLimits;
  readonly maxLeaseSeconds: number;
  readonly now: () => number;
}

/** What a runtime is told of its lease. */
export interface Granted {
  readonly leaseSeconds: number;
  readonly expiresAt: number;
  readonly entries: number;
}

/** Registers entries of a runtime. @throws FabricError `forbidden invalid rate-limited storage` */
export async function register(
  input: Input<'register'>,
  caller: Caller,
  deps: RegistrationDeps,
): Promise<Granted> {
  const { replica, now } = deps;
  const runtime = ownRuntime(input.runtime, caller);
  const drafts = draftsOf(input.entries, runtime, caller);
  const part = partOf(runtime);
  // One registration of an account after the other: its room is counted before it is used.
  return replica.turn(`owner ${caller.owner}`, () =>
    replica.turn(part, async () => {
      const stored = await replica.holding(part);
      const known = stored && isGone(stored.lease, deps) ? undefined : stored;
      const kept = input.add ? 0 : (known?.entries.length ?? 0);
      checkRoom({ owner: caller.owner, added: drafts.size - kept, isNew: !known }, deps);
      const lease = leaseOf(runtime, input.leaseSeconds, { known: known?.lease, deps });
      const before = new Map(known?.entries.map((row) => [row.address, row]));
      const entries = new Map(input.add ? before : []);
      const changes: Write[] = [writes.lease(lease)];
      for (const [address, draft] of drafts) {
        const row = rowOf(draft, before.get(address), now());
        entries.set(address, row);
        if (row !== before.get(address)) changes.push(writes.entry(runtime, row));
      }
      for (const { address } of stored?.entries ?? [])
        if (!entries.has(address)) changes.push(writes.noEntry(runtime, address));
      await replica.commit(part, changes, { lease, entries: [...entries.values()] });
      return grantedBy(lease, entries.size);
    }),
  );
}

/** Renews the lease of a runtime, and takes back that it had left. @throws FabricError `not-found` when it must register anew */
export async function renew(input: Input<'renew'>, caller: Caller, deps: RegistrationDeps): Promise<Granted> {
  const { replica } = deps;
  const runtime = ownRuntime(input.runtime, caller);
  const part = partOf(runtime);
  return replica.turn(part, async () => {
    const known = deps.index.holder(part) ?? (await replica.holding(part));
    if (!known || isGone(known.lease, deps))
      throw new FabricError('not-found', `The registry does not know ${runtime}; register it.`);
    const lease = leaseOf(runtime, known.lease.leaseMs / 1000, { known: known.lease, deps });
    await replica.commitLease(part, lease);
    return grantedBy(lease, deps.index.holder(part)?.entries.size ?? 0);
  });
}

/** Changes what is said of an entry; what is not given stays. @throws FabricError `not-found forbidden invalid storage` */
export async function update(
  input: Input<'update'>,
  caller: Caller,
  deps: RegistrationDeps,
): Promise<Address> {
  const { address: text, runtime, ...changes } = input;
  const address = ownAddress(text, caller);
  const { reporter } = changes;
  const patch = reporter ? { ...changes, reporter: parseAddress(reporter) } : changes;
  const now = deps.now();
  let found = 0;
  for (const one of runtimesOf(address, runtime, { caller, deps }))
    found += await change(
      { runtime: one, addresses: [address], next: (row) => patched(row, patch, now) },
      deps,
    );
  if (found === 0) throw new FabricError('not-found', `${address} is not registered; register it.`);
  return address;
}

/** A runtime, or some of its entries, say that they leave. @throws FabricError `forbidden invalid storage` */
export async function disconnect(
  input: Input<'disconnect'>,
  caller: Caller,
  deps: RegistrationDeps,
): Promise<number> {
  const runtime = ownRuntime(input.runtime, caller);
  if (input.address === undefined) return runtimeLeft(runtime, deps);
  const addresses = [input.address].flat().map((it) => ownAddress(it, caller));
  const endedAt = deps.now();
  const next = (row: EntryRow): EntryRow => (row.endedAt === undefined ? { ...row, endedAt } : row);
  return change({ runtime, addresses, next }, deps);
}

/** All of a runtime is disconnected from now on, until it renews. Does nothing for runtimes that are not known. */
export function runtimeLeft(
  runtime: RuntimeAddress,
  { replica, index, rules, now }: RegistrationDeps,
): Promise<number> {
  const part = partOf(runtime);
  return replica.turn(part, async () => {
    const known = index.holder(part) ?? (await replica.holding(part));
    if (!known || livenessOf(known.lease, rules).state !== 'live') return 0;
    await replica.commitLease(part, { ...known.lease, endedAt: now() });
    return index.holder(part)?.entries.size ?? 0;
  });
}

/** Removes entries at once; those that are not there count as removed. @throws FabricError `forbidden invalid storage` */
export async function remove(
  input: Input<'remove'>,
  caller: Caller,
  deps: RegistrationDeps,
): Promise<number> {
  const byRuntime = new Map<RuntimeAddress, Address[]>();
  for (const text of [input.address].flat()) {
    const address = ownAddress(text, caller);
    for (const runtime of runtimesOf(address, input.runtime, { caller, deps })) {
      const siblings = byRuntime.get(runtime);
      if (siblings) siblings.push(address);
      else byRuntime.set(runtime, [address]);
    }
  }
  let removed = 0;
  for (const [runtime, addresses] of byRuntime)
    removed += await change({ runtime, addresses, next: () => undefined }, deps);
  return removed;
}

/** A change of some rows of one runtime. */
interface Change {
  readonly runtime: RuntimeAddress;
  readonly addresses: readonly string[];
  /** Undefined removes a row. */
  readonly next: (row: EntryRow) => EntryRow | undefined;
}

/** Changes rows in one batch. Returns how many there were. */
async function change({ runtime, addresses, next }: Change, { replica }: RegistrationDeps): Promise<number> {
  const part = partOf(runtime);
  return replica.turn(part, async () => {
    const holding = await replica.holding(part);
    if (!holding) return 0;
    const rows = new Map(holding.entries.map((row) => [row.address, row]));
    const concerned = [...new Set(addresses)].flatMap((address) => rows.get(address) ?? []);
    const changes: Write[] = [];
    for (const row of concerned) {
      const changed = next(row);
      if (changed === row) continue;
      changes.push(changed ? writes.entry(runtime, changed) : writes.noEntry(runtime, row.address));
      if (changed) rows.set(row.address, changed);
      else rows.delete(row.address);
    }
    const after = { lease: holding.lease, entries: [...rows.values()] };
    if (changes.length > 0) await replica.commit(part, changes, after);
    return concerned.length;
  });
}

/** The runtimes that an entry is changed in: the one that is named, or that calls, or all that have it. */
function runtimesOf(
  address: Address,
  named: string | undefined,
  { caller, deps }: { readonly caller: Caller; readonly deps: RegistrationDeps },
): readonly RuntimeAddress[] {
  if (named !== undefined) return [ownRuntime(named, caller)];
  if (caller.address?.startsWith('runtime:') === true) return [caller.address as RuntimeAddress];
  const bucket = deps.index.bucket(token('address', address));
  return bucket ? Array.from(bucket.after(undefined), ({ holder }) => holder.lease.runtime) : [];
}

/** @throws FabricError `rate-limited` when the account has too much here already */
function checkRoom(
  { owner, added, isNew }: { readonly owner: string; readonly added: number; readonly isNew: boolean },
  { index, limits }: RegistrationDeps,
): void {
  const { entriesPerOwner, runtimesPerOwner } = limits;
  const entries = index.bucket(token('owner', owner))?.size ?? 0;
  if (entries + Math.max(added, 0) > entriesPerOwner)
    throw new FabricError(
      'rate-limited',
      `${owner} would have more than ${entriesPerOwner} entries; remove some, or let them run out.`,
    );
  if (isNew && index.runtimesOf(owner) >= runtimesPerOwner)
    throw new FabricError(
      'rate-limited',
      `${owner} has ${runtimesPerOwner} runtimes registered; stop some, or let their leases run out.`,
    );
}

function leaseOf(
  runtime: RuntimeAddress,
  seconds: number,
  { known, deps }: { readonly known: LeaseRow | undefined; readonly deps: RegistrationDeps },
): LeaseRow {
  const now = deps.now();
  const leaseMs = Math.min(Math.max(seconds, LEASE_SECONDS.shortest), deps.maxLeaseSeconds) * 1000;
  const isBack = !known || livenessOf(known, deps.rules).state !== 'live';
  return {
    runtime,
    leaseMs,
    expiresAt: now + leaseMs,
    startedAt: known?.startedAt ?? now,
    changedAt: isBack ? now : known.changedAt,
  };
}

const isGone = (lease: LeaseRow, { rules }: RegistrationDeps): boolean =>
  livenessOf(lease, rules).state === 'gone';

const grantedBy = ({ leaseMs, expiresAt }: LeaseRow, entries: number): Granted => ({
  leaseSeconds: leaseMs / 1000,
  expiresAt,
  entries,
});
