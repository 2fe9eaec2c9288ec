/** Parking: messages that crash their hyperty each time are set aside, to be tried again or dropped by hand. */
import type { Address } from '../message/address.ts';
import type { FabricError } from '../message/error.ts';
import type { Store, Write } from '../store/store.ts';
import { addressOfKey, keys, ofHyperty, ofShard, placeOfKey, shardNames } from './keys.ts';
import { decodeRow, encode, mailOf, type Mail, type MailRow, type Parked } from './record.ts';

/** A parked message as people see it. */
export interface ParkedMessage extends Parked {
  readonly address: Address;
  /** Names it among those of its hyperty. */
  readonly place: string;
}

interface Parking {
  readonly address: Address;
  readonly row: MailRow;
  readonly error: FabricError;
  readonly at: number;
}

/** The writes that park a message. */
export function parkingOf({ address, row, error, at }: Parking): Write[] {
  const cause = error.cause instanceof Error ? error.cause : error;
  const parked: Parked = { ...mailOf(row), error: { name: cause.name, message: cause.message }, at };
  const { stream } = row;
  return [
    { key: row.key, value: null },
    { key: keys.parked(address, placeOfKey(row.key)), value: encode(parked) },
    ...(stream ? [{ key: keys.mark(address, stream.sender), value: encode(stream) }] : []),
  ];
}

/** The parked messages of one hyperty, or of all, oldest of each first; at most `limit`. */
export async function listParked(
  store: Store,
  address: Address | undefined,
  limit: number,
): Promise<readonly ParkedMessage[]> {
  const ranges =
    address === undefined ? shardNames.map((shard) => ofShard('p', shard)) : [ofHyperty('p', address)];
  const found: ParkedMessage[] = [];
  for (const range of ranges) {
    if (found.length >= limit) break;
    const rows = await store.range({ ...range, limit: limit - found.length });
    for (const { key, value } of rows)
      found.push({ ...decodeRow<Parked>(key, value), address: addressOfKey(key), place: placeOfKey(key) });
  }
  return found;
}

/**
 * The writes that put a parked message back into its mailbox, behind what waits there, or drop it.
 * @returns undefined when there is no such message
 */
export async function unparkingOf(
  store: Store,
  { address, place }: Pick<ParkedMessage, 'address' | 'place'>,
  newPlace: string | undefined,
): Promise<{ readonly writes: readonly Write[]; readonly row: MailRow | undefined } | undefined> {
  const key = keys.parked(address, place);
  const text = await store.get(key);
  if (text === undefined) return undefined;
  const writes: Write[] = [{ key, value: null }];
  if (newPlace === undefined) return { writes, row: undefined };
  const { envelope } = decodeRow<Parked>(key, text);
  const { deadline: _deadline, ...rest } = envelope; // nobody waits any more; it is to be handled all the same
  const mail: Mail = { envelope: rest };
  const row = { key: keys.mail(address, newPlace), ...mail };
  writes.push({ key: row.key, value: encode(mail) });
  return { writes, row };
}
