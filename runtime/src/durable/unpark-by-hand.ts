/** Unparking in a store that no runtime uses: the message is put back, and handled when a runtime runs again. */
import { FabricError } from '../message/error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Store } from '../store/store.ts';
import { ofHyperty, placeOfKey, shardOf } from './keys.ts';
import { unpark, type ParkedMessage } from './parking.ts';
import { Sequencer } from './sequencer.ts';
import { placeOf } from './turn.ts';

/** What unparking needs. */
export interface HandDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Random name of this process's life. */
  readonly life: string;
}

const TTL_MS = 5000;

/**
 * Puts a parked message back into its mailbox, behind what waits there, or drops it for good.
 * @throws FabricError `not-found`, `conflict` while a runtime uses the store, or has died a few seconds ago, `storage`
 */
export async function unparkByHand(
  message: Pick<ParkedMessage, 'address' | 'place'>,
  then: 'retry' | 'drop',
  { store, clock, life }: HandDeps,
): Promise<void> {
  const { address } = message;
  const lease = await store.acquire(`shard/${shardOf(address)}`, { holder: life, ttlMs: TTL_MS });
  if (!lease) {
    const text = `A runtime uses ${store.name}, or did seconds ago: let it do this, without --store, or stop it.`;
    throw new FabricError('conflict', text);
  }
  try {
    const sequencer = new Sequencer(() => clock.now());
    const [last] = await store.range({ ...ofHyperty('m', address), limit: 1, reverse: true });
    if (last) sequencer.saw(Number(placeOfKey(last.key).split('-')[0]));
    const newPlace = then === 'retry' ? placeOf(sequencer, life.slice(0, 8)) : undefined;
    await unpark(store, { message, place: newPlace, lease });
  } finally {
    await store.release(lease);
  }
}
