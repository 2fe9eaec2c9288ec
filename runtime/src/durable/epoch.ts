/** The epoch of a store: its random name, made when it is first used. Another one means that everything was lost. */
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
