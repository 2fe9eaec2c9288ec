/** The epoch of a store: its random name, made when it is first used. Another one means that everything was lost. */
import { ownerOf, type RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { delay, type Clock } from '../platform/clock.ts';
import type { Entry, Store } from '../store/store.ts';
import { keys } from './keys.ts';

const LEASE = { name: 'epoch', ttlMs: 5000 };
const RETRY_MS = 200;

/** Who asks. */
export interface Process {
  /** Random name of this process's life. */
  readonly holder: string;
  readonly clock: Clock;
}

/** Reads the epoch of a store, or gives it `fresh`. */
export const openEpoch = (store: Store, fresh: string, clock: Clock): Promise<string> =>
  once(store, { key: keys.epoch, value: fresh }, { holder: fresh, clock });

/** Makes a store that of one owner, who alone may use it. @throws FabricError `conflict` when it is somebody else's */
export async function claimStore(store: Store, self: RuntimeAddress, process: Process): Promise<void> {
  const owner = ownerOf(self) ?? self;
  const known = await once(store, { key: keys.owner, value: owner }, process);
  if (known === owner) return;
  const text = `${store.name} holds the hyperties of ${known}; give ${owner} a store of its own.`;
  throw new FabricError('conflict', text, { details: { owner: known } });
}

/** What a key has, or is given now. Two processes that open an empty store agree. */
async function once(store: Store, wanted: Entry, { holder, clock }: Process): Promise<string> {
  const { key, value } = wanted;
  for (;;) {
    const known = await store.get(key);
    if (known !== undefined) return known;
    const lease = await store.acquire(LEASE.name, { holder, ttlMs: LEASE.ttlMs });
    if (!lease) {
      await delay(clock, RETRY_MS);
      continue;
    }
    const meanwhile = await store.get(key);
    if (meanwhile === undefined) await store.commit([{ key, value }], [lease]);
    await store.release(lease);
    return meanwhile ?? value;
  }
}
