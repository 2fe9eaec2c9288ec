/**
 * A process that takes a lease of a SQLite store, renews it, and counts under it until it is killed or fenced off, for
 * tests of ownership. Argument: the file. Prints `owner TOKEN`, then `fenced` when it finds that it has lost the lease.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { FabricError } from '@hyperty/runtime';
import { createSqliteStore } from '@hyperty/runtime/node';

const LEASE = { holder: `process-${process.pid}`, ttlMs: 400 };
const PERIOD_MS = 20;

const [file = ''] = process.argv.slice(2);
const store = await createSqliteStore({ file });
let lease = await store.acquire('counter', LEASE);
for (; lease === undefined; lease = await store.acquire('counter', LEASE)) await sleep(PERIOD_MS);
process.stdout.write(`owner ${lease.token}\n`);
try {
  for (let count = Number((await store.get('count')) ?? 0) + 1; ; count += 1) {
    await store.commit(
      [
        { key: 'count', value: String(count) },
        { key: `by/${String(count).padStart(6, '0')}`, value: String(lease.token) },
      ],
      [lease],
    );
    await store.acquire('counter', LEASE);
    await sleep(PERIOD_MS);
  }
} catch (error) {
  if (!(error instanceof FabricError && error.code === 'conflict')) throw error;
  process.stdout.write('fenced\n');
} finally {
  await store.close();
}
