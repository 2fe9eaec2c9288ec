/** Parking: messages that crash their hyperty each time are set aside, to be tried again or dropped by hand. */
import type { Address } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Lease, Store, Write } from '../store/store.ts';
import { addressOfKey, keys, ofHyperty, ofShard, placeOfKey, shardNames } from './keys.ts';
import { decodeRow, encode, mailOf, type MailRow, type Parked } from './record.ts';
import type { Sequencer } from './sequencer.ts';
import { placeOf } from './turn.ts';

/** A parked message as people see it. */
export interface ParkedMessage extends Parked {
  readonly address: Address;
  /** Names it among those of its hyperty. */
  readonly place: string;
}

interface ParkingOrder {
  readonly address: Address;
  readonly row: MailRow;
  readonly error: FabricError;
  readonly at: number;
}

/** The writes that park a message. */
export function parkingOf({ address, row, error, at }: ParkingOrder): Write[] {
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
async function listParked(
  store: Store,
  address: Address | undefined,
  limit: number,
): Promise<readonly ParkedMessage[]> {
  const ranges =
    address === undefined ? shardNames.map((shard) => ofShard('p', shard)) : [ofHyperty('p', address)];
  const found: ParkedMessage[] = [];
  for (const { from: start, to } of ranges) {
    for (let from = start; found.length < limit;) {
      const rows = await store.range({ from, to, limit: limit - found.length });
      const last = rows.at(-1);
      if (!last) break;
      found.push(...rows.flatMap(({ key, value }) => parkedOf(key, value) ?? []));
      from = `${last.key}!`;
    }
  }
  return found;
}

/** One that is damaged hides none of the others. */
function parkedOf(key: string, text: string): ParkedMessage | undefined {
  try {
    return { ...decodeRow<Parked>(key, text), address: addressOfKey(key), place: placeOfKey(key) };
  } catch {
    return undefined; // "hyperty inspect" counts it, and it can be dropped by its place
  }
}

/** Which message, where it goes (undefined: nowhere), and who may do it. */
export interface Unparking {
  readonly message: Pick<ParkedMessage, 'address' | 'place'>;
  readonly place: string | undefined;
  /** The lease of the hyperty's shard. */
  readonly lease: Lease;
}

/**
 * Puts a parked message back into its mailbox, behind what waits there, or drops it.
 * @returns the mail, unless it was dropped
 * @throws FabricError `not-found conflict storage`
 */
export async function unpark(
  store: Store,
  { message, place, lease }: Unparking,
): Promise<MailRow | undefined> {
  const { address } = message;
  const key = keys.parked(address, message.place);
  const text = await store.get(key);
  if (text === undefined)
    throw new FabricError('not-found', `${address} has no parked message ${message.place}.`);
  const writes: Write[] = [{ key, value: null }];
  if (place === undefined) {
    await store.commit(writes, [lease]);
    return undefined;
  }
  const { envelope } = decodeRow<Parked>(key, text);
  const { deadline: _deadline, ...rest } = envelope; // nobody waits any more; it is to be handled all the same
  const row = { key: keys.mail(address, place), envelope: rest };
  await store.commit([...writes, { key: row.key, value: encode(mailOf(row)) }], [lease]);
  return row;
}

/** Why something cannot be done here. */
export const elsewhere = (address: Address): FabricError => {
  const text = `${address} is run by another process that shares this store; do this there.`;
  return new FabricError('conflict', text, { details: { address } });
};

/** What parking needs around it. */
export interface ParkingDeps {
  readonly store: Store;
  readonly sequencer: Sequencer;
  readonly tag: string;
  /** The lease of a hyperty's shard, while this process has it. */
  readonly leaseOf: (address: Address) => Lease | undefined;
  readonly arrived: (to: Address, row: MailRow) => unknown;
  /** There may be mail that nobody was told of. */
  readonly poke: (address: Address) => void;
}

/** The parked messages of a store that a runtime uses. */
export class Parking {
  readonly #deps: ParkingDeps;
  /** One after the other: two that want the same message must not both find it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: ParkingDeps) {
    this.#deps = deps;
  }

  /** Those of one hyperty, or of all. @throws FabricError of the store */
  list(address?: Address, limit = 1000): Promise<readonly ParkedMessage[]> {
    return listParked(this.#deps.store, address, limit);
  }

  /** Puts one back into its mailbox, or drops it. @throws FabricError `not-found conflict storage` */
  async unpark(message: Unparking['message'], then: 'retry' | 'drop'): Promise<void> {
    const { store, sequencer, tag, leaseOf, arrived, poke } = this.#deps;
    const work = this.#last.then(async () => {
      const lease = leaseOf(message.address);
      if (!lease) throw elsewhere(message.address);
      const place = then === 'retry' ? placeOf(sequencer, tag) : undefined;
      try {
        const row = await unpark(store, { message, place, lease });
        if (row) arrived(message.address, row);
      } catch (caught) {
        poke(message.address); // it may be back in its mailbox, though the store could not say so
        throw caught;
      }
    });
    this.#last = work.catch(() => undefined); // whoever asked hears of it
    await work;
  }
}
