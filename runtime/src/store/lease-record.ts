/**
 * The rules of leases for stores that keep them as records of their own. Pure but for what a process has observed.
 * No clock is trusted: a lease has run out when the clock says so, and also when a process has seen it unrenewed for
 * its whole time; whoever was too slow is fenced off by its token.
 */
import * as z from 'zod';
import { FabricError } from '../message/error.ts';
import type { Lease, LeaseRequest } from './store.ts';

const schema = z.object({
  holder: z.string(),
  token: z.int().positive(),
  /** Counts renewals, so that others see that it lives. */
  beat: z.int(),
  expiresAt: z.number(),
  ttlMs: z.number(),
});

/** A lease as a store keeps it. `holder` is empty once it has been released. */
export type LeaseRecord = z.infer<typeof schema>;

/**
 * Reads a record, if there is one.
 * @throws FabricError `internal` for a malformed one: nobody may guess a token, as it must never be given again
 */
export function parseLease(
  record: string | undefined,
  { name, store }: { readonly name: string; readonly store: string },
): LeaseRecord | undefined {
  if (record === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(record));
  } catch (cause) {
    const text = `The record of the lease "${name}" in ${store} is malformed: another program has changed it, or the store is damaged. Put a backup in its place.`;
    throw new FabricError('internal', text, { details: { lease: name, damaged: true }, cause });
  }
}

/** What one process has seen of leases that others hold. */
export class LeaseObserver {
  readonly #seen = new Map<
    string,
    { readonly token: number; readonly beat: number; readonly sinceMs: number }
  >();

  /**
   * Decides on a request.
   * @returns the record to keep, or undefined when somebody else holds the lease
   */
  decide(
    name: string,
    request: LeaseRequest,
    { record, now }: { readonly record: LeaseRecord | undefined; readonly now: number },
  ): LeaseRecord | undefined {
    const { holder, ttlMs } = request;
    const granted = { holder, beat: (record?.beat ?? 0) + 1, expiresAt: now + ttlMs, ttlMs };
    if (record?.holder === holder) return { ...granted, token: record.token };
    if (record && record.holder !== '' && record.expiresAt > now && !this.#isForsaken(name, record, now))
      return undefined;
    this.#seen.delete(name);
    return { ...granted, token: (record?.token ?? 0) + 1 };
  }

  /** True when it has not been renewed for its whole time, as far as this process has seen. */
  #isForsaken(name: string, { token, beat, ttlMs }: LeaseRecord, now: number): boolean {
    const seen = this.#seen.get(name);
    if (seen?.token === token && seen.beat === beat && seen.sinceMs <= now)
      return now - seen.sinceMs >= ttlMs;
    this.#seen.set(name, { token, beat, sinceMs: now });
    return false;
  }
}

/** True when a lease is still the latest of its name: only then may its holder write. */
export const holds = ({ holder, token }: Lease, record: LeaseRecord | undefined): boolean =>
  record?.holder === holder && record.token === token;

/** The record of a lease that its holder has given back; the token stays, so that the next one is higher. */
export const released = (record: LeaseRecord): LeaseRecord => ({ ...record, holder: '', expiresAt: 0 });
