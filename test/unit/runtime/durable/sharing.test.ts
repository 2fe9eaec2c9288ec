/** Two processes share a store, and one of them cannot reach it for a while: what the other one kept meanwhile stands. */
import assert from 'node:assert/strict';
import { createMemoryMedium, createMemoryStore, hypertyAddress, type HostedKind, type Runtime, type Store } from '@hyperty/runtime'; // prettier-ignore
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { counter } from '../../../support/durable-party.ts';
import { createFrailStore, type FrailStore } from '../../../support/frail-store.ts';

const at = (name: string): string => hypertyAddress({ domain: 'acme.example', owner: 'alice', name });

describe('two processes that share a store', () => {
  let world: TestWorld;
  /** The process that loses its store, and the one that takes its hyperties over. */
  let cut: Runtime;
  let other: Runtime;
  let store: FrailStore;
  /** From when on the store is out of reach: once mail is kept, or when a turn is to be kept. */
  let trap: 'mail' | 'turn' | undefined;
  let name: string;
  beforeEach(async () => {
    world = createTestWorld();
    const medium = createMemoryMedium();
    store = createFrailStore(medium, { clock: world.clock });
    trap = undefined;
    const trapped: Store = {
      ...store,
      async commit(writes, leases) {
        if (trap === 'turn' && leases?.length) store.failNext(Infinity, 'before');
        await store.commit(writes, leases);
        const isMail = writes.some(({ key }) => key.startsWith('m/'));
        if (trap === 'mail' && isMail) store.failNext(Infinity, 'before');
      },
    };
    const durable = { passivateAfterMs: 5000 };
    cut = world.create('alice@acme.example', { device: 'pc', store: trapped, durable });
    const shared = createMemoryStore({ medium, clock: world.clock });
    other = world.create('alice@acme.example', { device: 'phone', store: shared });
    cut.hostKind(counter);
    const counters = other.hostKind(counter);
    await world.until(cut.start());
    await world.until(other.start());
    await world.advance(10_000); // until each of them has its share
    name = await oneThatCutRuns(counters);
  });
  afterEach(() => world.stop());

  const runs = (runtime: Runtime): boolean =>
    runtime.inspect().hyperties.some(({ address }) => address === at(name));
  const oneThatCutRuns = async (counters: Pick<HostedKind, 'create'>): Promise<string> => {
    for (let n = 0; ; n += 1) {
      name = `counter-${n}`;
      await world.until(counters.create(name));
      await world.advance(50);
      if (runs(cut)) return name;
    }
  };
  const ask = (runtime: Runtime, event: { type: string; [field: string]: unknown }) =>
    world.until(runtime.ask(at(name), event));
  /** A process loses its store when it has kept a message; the other one handles that, and one more. */
  const takeOver = async (when: 'mail' | 'turn'): Promise<void> => {
    await ask(other, { type: 'add', amount: 1000 });
    if (when === 'mail') await world.advance(10_000); // until it has passed out of memory
    assert.equal(runs(cut), when === 'turn');
    trap = when;
    void cut.ask(at(name), { type: 'add', amount: 1 }).catch(() => undefined); // it may be told `timeout`
    await world.advance(15_000);
    assert.deepEqual(await ask(other, { type: 'add', amount: 10 }), { type: 'total', total: 1011 });
  };
  const heal = async (): Promise<void> => {
    trap = undefined;
    store.spare();
    await world.advance(25_000);
  };

  // The store is back before something is tried again, before leases are renewed, or between the two.
  for (const healsAfterMs of [0, 700, 1400, 2100, 2800]) {
    it(`go on from what the other one has kept, where a turn was not kept for ${healsAfterMs} ms more`, async () => {
      await takeOver('turn');
      await world.advance(healsAfterMs);
      await heal();
      assert.deepEqual(await ask(other, { type: 'read' }), { type: 'total', total: 1011 });
      assert.deepEqual(await ask(cut, { type: 'add', amount: 100 }), { type: 'total', total: 1111 });
      assert.deepEqual([runs(cut), runs(other)], [true, false], 'it is back where it was');
    });

    it(`go on from what the other one has kept, where one was not woken for ${healsAfterMs} ms more`, async () => {
      await takeOver('mail');
      await world.advance(healsAfterMs);
      await heal();
      assert.deepEqual(await ask(cut, { type: 'add', amount: 100 }), { type: 'total', total: 1111 });
      assert.deepEqual(await ask(other, { type: 'read' }), { type: 'total', total: 1111 });
    });
  }
});
