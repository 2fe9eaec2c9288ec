/**
 * The store contract: what a runtime and a domain's services keep over restarts. Text values by key, changed in atomic
 * batches, read in order, with leases that say who may write and notice of changes. Each platform has its own; all
 * keep the same contract suite (`storeContract` in `@hyperty/runtime/testing`).
 */
import { FabricError } from '../message/error.ts';

/** A value and its key. */
export interface Entry {
  readonly key: string;
  readonly value: string;
}

/** One change of a batch: a new value, or `null`, which removes the key. */
export interface Write {
  readonly key: string;
  readonly value: string | null;
}

/** Which entries a range read gives. Keys compare by their bytes. */
export interface Range {
  /** First key, included. Default: the first of all. */
  readonly from?: string;
  /** End, not included. Default: after the last. */
  readonly to?: string;
  /** Entries at most; it may be fewer, see {@link Store.range}. Default and most: 10,000. */
  readonly limit?: number;
  /** From the end backwards. */
  readonly reverse?: boolean;
}

/** The right to write, held by one process at a time. Proven to the store by its token. */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  /** Fencing token: grows each time that the lease goes to another holder. */
  readonly token: number;
}

/** Asks for a lease. */
export interface LeaseRequest {
  /** Random name of this process's life. */
  readonly holder: string;
  /** Somebody else may take the lease when it has not been renewed for this long. */
  readonly ttlMs: number;
}

/** Hears of changed keys; undefined: some changes may have been missed, look at all that matters. */
export type ChangeListener = (keys: readonly string[] | undefined) => void;

/** Text values by key, in atomic batches. */
export interface Store {
  /** What it is and where, for messages. */
  readonly name: string;
  /**
   * What a commit that was acknowledged survives: `strict` a power cut, `relaxed` the end of the process and of the
   * machine but for the last second, `memory` neither.
   */
  readonly durability: 'strict' | 'relaxed' | 'memory';
  /** The value of a key. @throws FabricError `storage closed` */
  get(key: string): Promise<string | undefined>;
  /**
   * Entries in order of their keys: at most {@link MAX_RANGE} with {@link MAX_RANGE_CHARS} characters of values, but one
   * where there is one. So it may give fewer than asked for: who wants all goes on after the last key until none comes.
   * @throws FabricError `storage closed`
   */
  range(range: Range): Promise<readonly Entry[]>;
  /**
   * Makes all changes or none, after all commits asked for before; when it resolves they are durable. Of two writes
   * to one key the later counts.
   * @param fences leases of which each must still be the latest of its name
   * @throws FabricError `conflict` (a lease has gone to somebody else), `storage` (the medium cannot take it now),
   * `too-large`, `closed`; nothing was changed then. Where a connection broke before the answer came, `storage` with
   * `details.outcome: 'unknown'`: the batch has been, or will be, carried out before any later call succeeds, or never
   */
  commit(writes: readonly Write[], fences?: readonly Lease[]): Promise<void>;
  /**
   * Takes a lease that is free, was released or has run out, or renews the holder's own.
   * @returns undefined when somebody else holds it
   * @throws FabricError `storage closed`
   * @throws TypeError as {@link checkLease}
   */
  acquire(name: string, request: LeaseRequest): Promise<Lease | undefined>;
  /** Gives a lease back at once. Does nothing when it has gone to somebody else already. */
  release(lease: Lease): Promise<void>;
  /** The holder that a lease was given to last and that has not released it. */
  holderOf(name: string): Promise<string | undefined>;
  /**
   * Calls `listener` after commits, of this process and of others, that change values of keys with this prefix. It may be called
   * without need and for several commits at once, never too rarely. Returns the removal.
   */
  watch(prefix: string, listener: ChangeListener): () => void;
  /** Finishes what is under way and lets go of the medium. Idempotent. */
  close(): Promise<void>;
}

/**
 * The key under which a store has its name, a random text that whoever uses it first writes. A copy of a store is not given it: what
 * happened after it was made is unknown to it, and others must be able to tell.
 */
export const EPOCH_KEY = 'e';
/** Characters of a key at most; keys are printable ASCII without spaces, so that they sort alike everywhere. */
export const MAX_KEY_CHARS = 1024;
/** Characters of a value at most. */
export const MAX_VALUE_CHARS = 16 * 1024 * 1024;
/** Entries that one range read gives at most. */
export const MAX_RANGE = 10_000;
/** Characters of all values that one range read gives at most. */
export const MAX_RANGE_CHARS = 2 * MAX_VALUE_CHARS;

const KEY = /^[\x21-\x7e]+$/;

/** The range of all keys that begin with `prefix`. */
export const under = (prefix: string): { readonly from: string; readonly to: string } => ({
  from: prefix,
  to: `${prefix}\x7f`,
});

/** Entries that a range read gives at most. @throws TypeError when `limit` is no positive whole number */
export function limitOf({ limit = MAX_RANGE }: Range): number {
  if (!Number.isInteger(limit) || limit < 1)
    throw new TypeError(`limit must be a positive whole number, got ${limit}.`);
  return Math.min(limit, MAX_RANGE);
}

/** What one range read gives, as it is gathered. */
export class Page {
  readonly entries: Entry[] = [];
  readonly #limit: number;
  #chars = 0;

  /** @param limit as {@link limitOf} gives it */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds the next entry if there is room for it. Returns false when nothing more has room. */
  add({ key, value }: Entry): boolean {
    this.#chars += value.length;
    if (this.#chars > MAX_RANGE_CHARS && this.entries.length > 0) return false;
    return this.entries.push({ key, value }) < this.#limit;
  }
}

/** @throws TypeError when a key is empty, too long, or has other characters than printable ASCII without spaces */
export function checkKey(key: string): void {
  if (key.length <= MAX_KEY_CHARS && KEY.test(key)) return;
  const shown = JSON.stringify(key.slice(0, 80));
  throw new TypeError(
    `A key has 1 to ${MAX_KEY_CHARS} printable ASCII characters and no spaces; got ${shown} (${key.length} characters).`,
  );
}

/** @throws TypeError when the name is no key, the holder is empty or malformed, or the time no positive whole number */
export function checkLease(name: string, { holder, ttlMs }: LeaseRequest): void {
  checkKey(name);
  checkKey(holder);
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1)
    throw new TypeError(`ttlMs must be a positive whole number of milliseconds, got ${ttlMs}.`);
}

/**
 * Checks a batch and copies it, so that nothing that its caller changes later gets past the checks.
 * @throws TypeError for a malformed lease, and as {@link checkWrites}
 * @throws FabricError as {@link checkWrites}
 */
export function batchOf(
  given: readonly Write[],
  leases: readonly Lease[],
): { readonly writes: readonly Write[]; readonly fences: readonly Lease[] } {
  const writes = given.map(({ key, value }) => ({ key, value }));
  const fences = leases.map(({ name, holder, token }) => ({ name, holder, token }));
  checkWrites(writes);
  for (const { name, holder, token } of fences) {
    checkKey(name);
    checkKey(holder);
    if (!Number.isSafeInteger(token)) throw new TypeError(`The token of lease "${name}" is no whole number.`);
  }
  return { writes, fences };
}

/**
 * Checks the writes of a batch.
 * @throws TypeError for keys as in {@link checkKey} and for values that are no well-formed Unicode
 * @throws FabricError `too-large` for a value beyond {@link MAX_VALUE_CHARS}
 */
function checkWrites(writes: readonly Write[]): void {
  for (const { key, value } of writes) {
    checkKey(key);
    if (value === null) continue;
    if (value.length > MAX_VALUE_CHARS) {
      const text = `The value of "${key}" has ${value.length} characters; at most ${MAX_VALUE_CHARS} are kept.`;
      throw new FabricError('too-large', text, { details: { key } });
    }
    if (!value.isWellFormed())
      throw new TypeError(`The value of "${key}" is no well-formed Unicode; JSON text always is.`);
  }
}

/** What a commit hears whose lease has gone to somebody else. */
export const fencedOff = ({ name, token }: Lease, store: string): FabricError =>
  new FabricError(
    'conflict',
    `The lease "${name}" (token ${token}) of ${store} has gone to another process; this one may not write any more.`,
    { details: { lease: name, token } },
  );

/** What calls hear after {@link Store.close}. */
export const storeClosed = (store: string): FabricError =>
  new FabricError('closed', `${store} has been closed.`);
