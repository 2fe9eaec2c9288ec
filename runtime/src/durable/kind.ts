/** A kind of durable hyperties: one definition, and what is done with snapshots of its earlier versions. */
import type { HostOptions, Hosting } from '../actor/hosting.ts';
import type { Durability, KeptSnapshot } from '../actor/hyperty.ts';
import type { Address } from '../message/address.ts';
import { describeIssues } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { HypertyRecord } from './record.ts';

/** A definition whose hyperties outlive their process. */
export interface Kind {
  readonly definition: Hosting['definition'] & { readonly durable: Durability };
  readonly options: HostOptions;
}

/**
 * Brings a record to the version of its definition.
 * @throws FabricError `unsupported` for a version that nothing leads from, `invalid` when a migration fails or the result
 * does not fit; the record stays as it is
 */
export function migrate(record: HypertyRecord, { definition }: Kind, address: Address): HypertyRecord {
  const { version, migrations = {}, context } = definition.durable;
  if (record.version > version) throw newer(address, record.version, version);
  let { snapshot } = record;
  for (let from = record.version; from < version; from += 1) {
    const step = migrations[from];
    if (!step) throw noWay(address, record.version, { version, from });
    try {
      snapshot = step(snapshot as KeptSnapshot);
    } catch (cause) {
      const text = `The migration of ${address} from version ${from} failed: ${(cause as Error).message}`;
      throw new FabricError('invalid', text, { cause });
    }
  }
  if (record.version < version && !isSnapshot(snapshot)) throw noSnapshot(address, version - 1);
  const checked = context?.safeParse((snapshot as { context?: unknown } | undefined)?.context);
  if (checked && !checked.success) {
    const text = `What the store has of ${address} does not fit its definition: ${describeIssues(checked.error)}. Raise its version and give a migration.`;
    throw new FabricError('invalid', text);
  }
  return { ...record, version, snapshot };
}

const isSnapshot = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'status' in value && 'context' in value;

const noSnapshot = (address: Address, from: number): FabricError =>
  new FabricError(
    'invalid',
    `migrations[${from}] of ${address} gave something that is no snapshot: { ...snapshot, context: { … } } is expected.`,
  );

const newer = (address: Address, stored: number, version: number): FabricError =>
  new FabricError(
    'unsupported',
    `${address} was kept by version ${stored} of its definition, and this is version ${version}: update this process. Its messages are kept.`,
    { details: { address, stored, version } },
  );

const noWay = (
  address: Address,
  stored: number,
  { version, from }: { version: number; from: number },
): FabricError =>
  new FabricError(
    'unsupported',
    `${address} was kept by version ${stored} of its definition, and nothing leads from version ${from} to ${version}: add migrations[${from}]. Its messages are kept.`,
    { details: { address, stored, version } },
  );

/** How a hyperty begins: its kind, and the input of its machine. */
export interface Creation {
  readonly kind: Kind;
  readonly input: unknown;
}

/** Why a hyperty cannot run whose definition is not hosted. */
export const unknownKind = (address: string, machine: string): FabricError =>
  new FabricError(
    'unsupported',
    `${address} is kept for a "${machine}", and this runtime hosts no durable definition of that name: host it. Its messages are kept.`,
    { details: { address, machine, isUnknownKind: true } },
  );
