import assert from 'node:assert/strict';
import {
  createMemoryMedium,
  createMemoryStore,
  systemClock,
  type RuntimeAddress,
  type Write,
} from '@hyperty/runtime';
import { LeaseCommits } from '../../../../services/src/registry/lease-commits.ts';
import type { LeaseRow } from '../../../../services/src/registry/records.ts';
import { createFrailStore } from '../../../support/frail-store.ts';

const lease = (n: number): LeaseRow => ({
  runtime: `runtime://acme.example/user${n}/DESK` as RuntimeAddress,
  leaseMs: 60_000,
  expiresAt: 1000 + n,
  startedAt: 0,
  changedAt: 0,
});

describe('renewals of leases', () => {
  it('are committed at once when they come alone, and together when many come', async () => {
    const store = createMemoryStore();
    const batches: number[] = [];
    const counting = {
      ...store,
      commit: (changes: readonly Write[]) => {
        batches.push(changes.length);
        return store.commit(changes);
      },
    };
    const commits = new LeaseCommits(counting);
    await commits.commit(lease(0));
    assert.deepEqual(batches, [1]);
    await Promise.all(Array.from({ length: 1000 }, (_, n) => commits.commit(lease(n))));
    assert.ok(batches.length < 50, `${batches.length} batches`);
    for (const n of [1, 500, 999])
      assert.ok(await store.get(`service/lease/runtime://acme.example/user${n}/DESK`), `lease ${n}`);
  });

  it('fail together with their batch, and no other', async () => {
    const store = createFrailStore(createMemoryMedium(), { clock: systemClock });
    const commits = new LeaseCommits(store);
    const first = await Promise.allSettled(Array.from({ length: 16 }, (_, n) => commits.commit(lease(n))));
    assert.ok(first.every(({ status }) => status === 'fulfilled'));
    store.failNext(1, 'before');
    const failed = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => commits.commit(lease(n))));
    assert.ok(failed.some(({ status }) => status === 'rejected'));
    await Promise.all(Array.from({ length: 20 }, (_, n) => commits.commit(lease(n))));
  });
});
