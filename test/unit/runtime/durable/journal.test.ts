import assert from 'node:assert/strict';
import { createMemoryStore, FabricError, silentLogger, type Lease, type Store } from '@hyperty/runtime';
import type { Bus } from '../../../../runtime/src/bus/bus.ts';
import type { DurableDeps } from '../../../../runtime/src/durable/durable-deps.ts';
import { Journal } from '../../../../runtime/src/durable/journal.ts';
import { keys } from '../../../../runtime/src/durable/keys.ts';
import type { HypertyAddress } from '../../../../runtime/src/message/address.ts';

const address = 'hyperty://acme.example/alice/teller' as HypertyAddress;
const MAIL = keys.mail('hyperty://acme.example/alice/counter' as HypertyAddress, '1-test');
const unknown = new FabricError('storage', 'Broken off.', { details: { outcome: 'unknown' } });
const full = new FabricError('storage', 'The disk is full.');

describe('the journal of a durable hyperty', () => {
  let store: Store;
  let lease: Lease | undefined;
  let lost: string[];
  /** What becomes of the next transactions. */
  let fates: ('done, but nobody knows' | 'not done, and nobody knows' | 'refused')[];
  let journal: Journal;
  beforeEach(async () => {
    const memory = createMemoryStore();
    [lost, fates] = [[], []];
    const commit: Store['commit'] = async (...batch) => {
      const fate = fates.shift();
      if (fate === 'done, but nobody knows') await memory.commit(...batch);
      if (fate === 'refused') throw full;
      if (fate !== undefined) throw unknown;
      await memory.commit(...batch);
    };
    const [get, acquire, release] = [
      memory.get.bind(memory),
      memory.acquire.bind(memory),
      memory.release.bind(memory),
    ];
    store = { ...memory, get, acquire, release, commit };
    lease = await store.acquire('shard/00', { holder: 'first', ttlMs: 5000 });
    const clock = {
      now: () => Date.now(),
      /** Before a transaction is tried again, another process has handled the mail that it brought. */
      setTimeout: (run: () => void) => void memory.commit([{ key: MAIL, value: null }]).then(run),
      clearTimeout: () => undefined,
    };
    const deps: Partial<DurableDeps> = {
      store,
      bus: { clock } as unknown as Bus, // no more of it is used
      logger: silentLogger,
      lease: () => lease,
      lost: (one) => void lost.push(one),
    };
    journal = new Journal(address, deps as DurableDeps, () => false);
  });

  const keep = (): Promise<boolean> =>
    journal.commit([
      { key: keys.record(address), value: 'second' },
      { key: MAIL, value: 'mail' },
    ]);

  it('does not carry out twice what was done although nobody knew', async () => {
    fates = ['done, but nobody knows'];
    assert.equal(await keep(), true);
    assert.equal(await store.get(keys.record(address)), 'second');
    assert.equal(await store.get(MAIL), undefined);
  });

  it('carries out what was not done, however often the store fails', async () => {
    fates = ['refused', 'not done, and nobody knows', 'refused'];
    assert.equal(await keep(), true);
    assert.equal(await store.get(keys.record(address)), 'second');
    assert.equal(await store.get(MAIL), 'mail');
  });

  it('writes nothing once another process runs the hyperty, and says so', async () => {
    if (lease) await store.release(lease);
    await store.acquire('shard/00', { holder: 'second', ttlMs: 5000 });
    assert.equal(await keep(), false);
    assert.deepEqual(lost, [address]);
    lease = undefined;
    assert.equal(await keep(), false);
    assert.equal(await store.get(MAIL), undefined);
  });
});
