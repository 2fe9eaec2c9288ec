/** The rows that come of what runtimes say of their entries. */
import {
  FabricError,
  parseAddress,
  type Address,
  type registryContract,
  type RuntimeAddress,
} from '@hyperty/runtime';
import type * as z from 'zod';
import type { Caller } from '../domain/caller.ts';
import { registrable } from './ownership.ts';
import type { EntryRow } from './records.ts';

type RegisterInput = z.output<(typeof registryContract)['operations']['register']['input']>;
/** What is said of one entry. */
export type Draft = RegisterInput['entries'][number];

/** Fields of an entry that can be changed alone; `null` takes one away. */
export interface Patch {
  readonly descriptor?: string | null | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly schemas?: readonly string[] | undefined;
  readonly name?: string | null | undefined;
  readonly reporter?: string | null | undefined;
}

/** Characters of one entry as JSON: all entries are in memory, and an account may have many. */
const MAX_ENTRY_CHARS = 4096;

const tooLarge = (address: Address): FabricError =>
  new FabricError('too-large', `What is said of ${address} has more than ${MAX_ENTRY_CHARS} characters.`);

/** What is registered, by address; of two for one address the later counts. @throws FabricError `invalid`, `forbidden`, `too-large` */
export function draftsOf(
  entries: readonly Draft[],
  runtime: RuntimeAddress,
  caller: Caller,
): ReadonlyMap<Address, Draft> {
  return new Map(
    entries.map((draft) => {
      const address = registrable(draft.address, runtime, caller);
      if (JSON.stringify(draft).length > MAX_ENTRY_CHARS) throw tooLarge(address);
      const reporter = draft.reporter === undefined ? {} : { reporter: parseAddress(draft.reporter) };
      return [address, { ...draft, address, ...reporter }];
    }),
  );
}

/** The row of a draft: the one before when nothing has changed. It is live again, if it had left. */
export function rowOf(draft: Draft, before: EntryRow | undefined, now: number): EntryRow {
  const startedAt = before?.startedAt ?? now;
  const row = rowWith(draft as Omit<EntryRow, 'startedAt' | 'changedAt'>, { startedAt, changedAt: now });
  const isSame = before && JSON.stringify({ ...row, changedAt: before.changedAt }) === JSON.stringify(before);
  return isSame ? before : row;
}

/** A row with some fields changed; the same row when nothing is. */
export function patched(row: EntryRow, patch: Patch, now: number): EntryRow {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const fields = { ...row, ...Object.fromEntries(given) } as { -readonly [K in keyof EntryRow]: EntryRow[K] };
  const { startedAt, changedAt } = row;
  const next = rowWith(fields, { startedAt, changedAt });
  return JSON.stringify(next) === JSON.stringify(row) ? row : { ...next, changedAt: now };
}

/** Fields always come in one order, so that rows can be compared as text. */
function rowWith(
  { address, descriptor, resources, schemas, name, reporter, endedAt }: Partial<EntryRow>,
  times: Pick<EntryRow, 'startedAt' | 'changedAt'>,
): EntryRow {
  return {
    address: address ?? '',
    ...present({ descriptor }),
    resources: resources ?? [],
    schemas: schemas ?? [],
    ...present({ name }),
    ...present({ reporter }),
    ...times,
    ...present({ endedAt }),
  };
}

/** Without what is null or undefined. */
const present = <T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
