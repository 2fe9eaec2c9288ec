/** The epoch of a store: its random name, made when it is first used. Another one means that everything was lost. */
import { ownerOf, type RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { delay, type Clock } from '../platform/clock.ts';
import type { Store } from '../store/store.ts';
import { keys } from './keys.ts';

const LEASE = { name: 'epoch', ttlMs: 5000 };
const RETRY_MS = 200;

/** Reads the epoch of a store, or gives it `fresh`. Two processes that open an empty store agree on one. */
export async function openEpoch(store: Store, fresh: string, clock: Clock): Promise<string> {
  for (;;) {
    const known = await store.get(keys.epoch);
    if (known !== undefined) return known;
    const lease = await store.acquire(LEASE.name, { holder: fresh, ttlMs: LEASE.ttlMs });
    if (!lease) {
      await delay(clock, RETRY_MS);
      continue;
    }
    const meanwhile = await store.get(keys.epoch);
    if (meanwhile === undefined) await store.commit([{ key: keys.epoch, value: fresh }], [lease]);
    await store.release(lease);
    return meanwhile ?? fresh;
  }
}

/** Makes a store that of one owner, who alone may use it. @throws FabricError `conflict` when it is somebody else's */
export async function claimStore(store: Store, self: RuntimeAddress): Promise<void> {
  const owner = ownerOf(self) ?? self;
  const known = await store.get(keys.owner);
  if (known === undefined) await store.commit([{ key: keys.owner, value: owner }]);
  else if (known !== owner) {
    const text = `${store.name} holds the hyperties of ${known}; give ${owner} a store of its own.`;
    throw new FabricError('conflict', text, { details: { owner: known } });
  }
}
