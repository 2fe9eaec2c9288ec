/** Whether entries are live, by the time alone: nothing needs to be written for a lease to run out. */
import type { EntryState } from '@hyperty/runtime';
import type { EntryRow, LeaseRow } from './records.ts';

/** How an entry or a lease is, and since and until when. */
export interface Liveness {
  readonly state: EntryState;
  /** When it became so; for `live`, when it came. */
  readonly since: number;
  /** When it becomes something else, unless it is renewed; Infinity when it is gone. */
  readonly until: number;
}

/** Rules of one registry, and its clock. */
export interface LivenessRules {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Leases after which what is disconnected is gone. */
  readonly graceLeases: number;
}

/** How a lease is now. */
export function livenessOf(lease: LeaseRow, rules: LivenessRules): Liveness {
  const now = rules.now();
  const endedAt = lease.endedAt ?? lease.expiresAt;
  if (endedAt > now) return { state: 'live', since: lease.changedAt, until: endedAt };
  const goneAt = endedAt + lease.leaseMs * rules.graceLeases;
  if (goneAt > now) return { state: 'disconnected', since: endedAt, until: goneAt };
  return { state: 'gone', since: goneAt, until: Infinity };
}

/** How an entry of a lease is: as the lease, unless it has left before. */
export function entryLiveness(entry: EntryRow, lease: LeaseRow, rules: LivenessRules): Liveness {
  if (entry.endedAt === undefined) return livenessOf(lease, rules);
  const endedAt = Math.min(entry.endedAt, lease.endedAt ?? lease.expiresAt);
  return livenessOf({ ...lease, endedAt }, rules);
}
