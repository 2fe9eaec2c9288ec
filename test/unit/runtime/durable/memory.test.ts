import assert from 'node:assert/strict';
import { createMemoryStore, defineHyperty, type Runtime } from '@hyperty/runtime';
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createMachine } from 'xstate';
import { alarm, counter, createAccount, type Account } from '../../../support/durable-party.ts';
import { failsWith } from '../../../support/hosting.ts';

describe('the memory of durable hyperties', () => {
  let world: TestWorld;
  let alice: Account;
  const durable = { passivateAfterMs: 10_000, maxAwake: 20 };
  beforeEach(() => {
    world = createTestWorld();
    alice = createAccount(world, 'alice@acme.example', () => undefined);
  });
  afterEach(() => world.stop());

  const inMemory = (runtime: Runtime): string[] =>
    runtime.inspect().hyperties.map(({ address }) => address.split('/').at(-1) ?? '');
  const add = (runtime: Runtime, name: string) =>
    world.until(runtime.ask(`hyperty://acme.example/alice/${name}`, { type: 'add', amount: 1 }));

  it('lets them go when they have nothing to do, and a message brings them back', async () => {
    const { runtime } = await alice.start({ durable });
    runtime.host(counter);
    await add(runtime, 'counter');
    assert.deepEqual(inMemory(runtime), ['counter']);
    await world.advance(16_000);
    assert.deepEqual(inMemory(runtime), []);
    assert.deepEqual(await add(runtime, 'counter'), { type: 'total', total: 2 });
  });

  it('keeps those that somebody follows', async () => {
    const { runtime } = await alice.start({ durable });
    const { peer, ready } = runtime.host(counter);
    await world.until(ready);
    const follower = runtime.remote(peer);
    follower.subscribe(() => undefined);
    await world.advance(60_000);
    assert.deepEqual(inMemory(runtime), ['counter']);
    assert.equal(follower.getSnapshot().connection, 'live');
    follower.stop();
    await world.advance(16_000);
    assert.deepEqual(inMemory(runtime), []);
  });

  it('shows followers what changes', async () => {
    const { runtime } = await alice.start({ durable });
    const { peer, ready } = runtime.host(counter);
    await world.until(ready);
    const follower = runtime.remote(peer);
    follower.subscribe(() => undefined);
    await world.advance(100);
    await add(runtime, 'counter');
    await world.advance(100);
    assert.deepEqual(follower.getSnapshot().context, { total: 1 });
    follower.stop();
  });

  it('wakes one for its timer', async () => {
    const { runtime } = await alice.start({ durable });
    runtime.host(alarm);
    runtime.remote(alarm.at('hyperty://acme.example/alice/alarm')).send({ type: 'start' });
    await world.advance(40_000);
    assert.deepEqual(inMemory(runtime), []);
    await world.advance(25_000);
    const rung = await world.until(runtime.ask('hyperty://acme.example/alice/alarm', { type: 'rings' }));
    assert.equal((rung as { after: number }).after, 1);
  });

  it('holds no more than it may for long, and loses nothing', async () => {
    const { runtime } = await alice.start({ durable });
    const counters = runtime.hostKind(counter);
    const names = Array.from({ length: 100 }, (_, n) => `counter-${n}`);
    await world.until(Promise.all(names.map((name) => counters.create(name))));
    await world.advance(1000);
    assert.ok(inMemory(runtime).length <= 20, `${inMemory(runtime).length} are in memory`);
    await world.until(
      Promise.all(names.map((name) => runtime.ask(counters.at(name), { type: 'add', amount: 1 }))),
    );
    await world.advance(1000);
    const totals = await world.until(
      Promise.all(names.map((name) => runtime.ask(counters.at(name), { type: 'read' }))),
    );
    assert.deepEqual(new Set(totals.map(({ total }) => total)), new Set([1]));
  });

  it('makes one once, however often it is asked to', async () => {
    const { runtime } = await alice.start({ durable });
    const counters = runtime.hostKind(counter);
    await world.until(Promise.all([counters.create('one'), counters.create('one')]));
    await add(runtime, 'one');
    await world.until(counters.create('one'));
    assert.deepEqual(await add(runtime, 'one'), { type: 'total', total: 2 });
  });

  it('forgets one that is ended, and tells those who wait', async () => {
    const { runtime } = await alice.start({ durable });
    const counters = runtime.hostKind(counter);
    await world.until(counters.create('one'));
    await add(runtime, 'one');
    await world.until(counters.remove('one'));
    await assert.rejects(add(runtime, 'one'), failsWith('not-found'));
    await world.until(counters.create('one'));
    assert.deepEqual(await add(runtime, 'one'), { type: 'total', total: 1 });
  });

  it('says what is missing when something durable cannot be hosted', async () => {
    const bare = await world.runtime('bob@partner.example');
    assert.throws(() => bare.host(counter), /"counter" is durable, and needs a runtime with a store/);
    const { runtime } = await alice.start({ durable });
    const plain = defineHyperty({
      descriptor: { name: 'plain', version: '1.0.0' },
      accepts: {},
      emits: {},
      machine: createMachine({}),
    });
    assert.throws(() => runtime.hostKind(plain), /"plain" is not durable: give its definition/);
  });

  it('lets no second process be the same device', async () => {
    const { store } = await alice.start({ durable });
    assert.ok(store.calls > 0);
    const twin = world.create('alice@acme.example', {
      device: 'pc1',
      store: createMemoryStore({ medium: alice.medium, clock: world.clock }),
    });
    await assert.rejects(
      world.until(twin.start()),
      failsWith('conflict', /Another process runs as runtime:/),
    );
  });

  it('is of one owner: nobody else may use the store', async () => {
    await alice.start({ durable });
    const bob = world.create('bob@partner.example', {
      store: createMemoryStore({ medium: alice.medium, clock: world.clock }),
    });
    const holds = /holds the hyperties of acme.example\/alice; give partner.example\/bob a store of its own/;
    await assert.rejects(world.until(bob.start()), failsWith('conflict', holds));
  });
});
