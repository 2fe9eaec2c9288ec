/** The format of what a service keeps: a number in its store, raised by migrations that run when it is opened. */
import { delay, FabricError, systemClock, type Clock, type Lease, type Store } from '@hyperty/runtime';

/** Brings a store from one format to the next; called again when the process died over it. */
export type Migration = (store: Store, lease: Lease) => Promise<void>;

const KEY = 'service/format';
const LEASE = { name: 'service/format', ttlMs: 60_000 };

/** How long another process is waited for: longer than the lease of one that has died. */
const PATIENCE = { steps: 140, stepMs: 500 };

/**
 * Brings a store to the newest format that these migrations know: the first one leads from format 1 to 2. A new store has the
 * newest at once. One process at a time does it; others wait for it.
 * @throws FabricError `unsupported` when the store is of a newer format, `conflict` when another process does not end
 */
export async function openFormat(
  store: Store,
  migrations: readonly Migration[] = [],
  clock: Clock = systemClock,
): Promise<void> {
  const newest = migrations.length + 1;
  const holder = crypto.randomUUID();
  for (let step = 0; (await formatOf(store)) !== newest; step += 1) {
    const lease = await store.acquire(LEASE.name, { holder, ttlMs: LEASE.ttlMs });
    if (lease) return migrate(store, migrations, lease);
    if (step >= PATIENCE.steps)
      throw new FabricError('conflict', `Another process has been migrating ${store.name} for too long.`);
    await delay(clock, PATIENCE.stepMs);
  }
}

async function migrate(store: Store, migrations: readonly Migration[], lease: Lease): Promise<void> {
  const newest = migrations.length + 1;
  try {
    let format = (await formatOf(store)) ?? newest;
    if (format > newest) {
      const text = `${store.name} is of format ${format}, and this version knows formats up to ${newest}. Use the version that wrote it, or restore a backup.`;
      throw new FabricError('unsupported', text);
    }
    for (; format < newest; format += 1) {
      await migrations[format - 1]?.(store, lease);
      await store.commit([{ key: KEY, value: String(format + 1) }], [lease]);
    }
    await store.commit([{ key: KEY, value: String(newest) }], [lease]);
  } finally {
    await store.release(lease);
  }
}

async function formatOf(store: Store): Promise<number | undefined> {
  const text = await store.get(KEY);
  return text === undefined ? undefined : Number(text);
}
