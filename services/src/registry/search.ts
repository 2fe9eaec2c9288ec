/** What entries are searched by, and the pages that a search gives. */
import { FabricError, ownerOf, parseAddress, runtimeAddress, type RegistryEntry } from '@hyperty/runtime'; // prettier-ignore
import type { registryContract } from '@hyperty/runtime';
import type * as z from 'zod';
import type { Bucket } from './bucket.ts';
import { charsOf, MESSAGE_CHARS } from './entry-size.ts';
import { token, type EntryIndex, type EntryRecord } from './entry-index.ts';

type Criteria = z.output<(typeof registryContract)['operations']['search']['input']>;

/** A search as the index understands it. */
export interface Query {
  /** What every entry must have, see `tokensOf`. Not empty. */
  readonly tokens: readonly string[];
  readonly kind?: RegistryEntry['kind'];
  readonly state?: RegistryEntry['state'];
}

/** Entries that one call looks at, so that a search for something rare among many stays cheap. */
const MOST_LOOKED_AT = 5000;

/**
 * Brings criteria into the form of the index.
 * @throws FabricError `invalid` for a malformed address or owner, and when nothing is asked for
 */
export function queryOf({
  owner,
  runtime,
  resources,
  schemas,
  name,
  reporter,
  kind,
  state,
}: Criteria): Query {
  const tokens = [
    ...(owner === undefined ? [] : [token('owner', parseOwner(owner))]),
    ...(runtime === undefined ? [] : [token('runtime', parseAddress(runtime))]),
    ...(reporter === undefined ? [] : [token('reporter', parseAddress(reporter))]),
    ...(name === undefined ? [] : [token('name', name)]),
    ...(schemas ?? []).map((it) => token('schema', it)),
    ...(resources ?? []).map((it) => token('resource', it)),
  ];
  if (tokens.length === 0)
    throw new FabricError(
      'invalid',
      'A search needs an owner, runtime, name, reporter, resources or schemas; kind and state only narrow it.',
    );
  return { tokens, ...(kind === undefined ? {} : { kind }), ...(state === undefined ? {} : { state }) };
}

/** The owner prefix behind a user id or an owner prefix. @throws FabricError `invalid` */
function parseOwner(text: string): string {
  const match = /^@([^:]+):(.+)$/.exec(text) ?? /^()([^/]+)\/([^/]+)$/.exec(text);
  if (!match) throw new FabricError('invalid', `"${text.slice(0, 100)}" is neither a user id nor an owner.`);
  const address = match[3] === undefined ? ofUser(match[2] ?? '', match[1] ?? '') : `runtime://${text}/*`;
  return ownerOf(parseAddress(address)) ?? '';
}

const ofUser = (domain: string, owner: string): string => runtimeAddress({ domain, owner, device: '*' });

/** True when an entry has all that is asked for, but for its state. */
export function matches({ tokens, kind }: Query, record: EntryRecord, has: ReadonlySet<string>): boolean {
  return (kind === undefined || record.kind === kind) && tokens.every((it) => has.has(it));
}

/** One page of a search. */
export interface Page {
  readonly entries: RegistryEntry[];
  /** Absent when there is no more. */
  readonly cursor?: string;
}

/** Finds entries in the order of their places. */
export function search(
  index: EntryIndex,
  query: Query,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Page {
  const smallest = smallestOf(index, query);
  const entries: RegistryEntry[] = [];
  if (!smallest) return { entries };
  let [looked, chars] = [0, 0];
  let last: string | undefined;
  for (const record of smallest.after(cursor)) {
    if (entries.length >= limit || looked >= MOST_LOOKED_AT || chars >= MESSAGE_CHARS)
      return { entries, cursor: last ?? '' };
    looked += 1;
    last = record.place;
    if (!isFound(query, record, index)) continue;
    const entry = index.view(record);
    entries.push(entry);
    chars += charsOf(entry);
  }
  return { entries };
}

function isFound({ tokens, kind, state }: Query, record: EntryRecord, index: EntryIndex): boolean {
  if (kind !== undefined && record.kind !== kind) return false;
  if (!tokens.every((it) => hasToken(record, it))) return false;
  const now = index.stateOf(record);
  return now !== 'gone' && (state === undefined || now === state);
}

function hasToken({ row, owner, holder }: EntryRecord, it: string): boolean {
  const space = it.indexOf(' ');
  const value = it.slice(space + 1);
  switch (it.slice(0, space)) {
    case 'owner':
      return owner === value;
    case 'runtime':
      return holder.lease.runtime === value;
    case 'resource':
      return row.resources.includes(value);
    case 'schema':
      return row.schemas.includes(value);
    case 'name':
      return row.name === value;
    case 'reporter':
      return row.reporter === value;
    default:
      return row.address === value;
  }
}

/** The fewest entries among which all that match are; undefined when none can. */
function smallestOf(index: EntryIndex, { tokens }: Query): Bucket<EntryRecord> | undefined {
  let smallest: Bucket<EntryRecord> | undefined;
  for (const it of tokens) {
    const bucket = index.bucket(it);
    if (!bucket) return undefined;
    if (!smallest || bucket.size < smallest.size) smallest = bucket;
  }
  return smallest;
}
