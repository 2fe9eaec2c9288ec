import assert from 'node:assert/strict';
import { createMemoryMedium, createMemoryStore } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import type { RegistryViewEntry, RegistryListener } from '@hyperty/services';
import { startCompany, type Company } from './company.ts';

const ALICE = '@alice:acme.example';
const CAROL = '@carol:acme.example';
const BOB = '@bob:partner.example';

/** A registry that a test fills. */
function createRegistry() {
  const entries = new Map<string, RegistryViewEntry>();
  const listeners = new Set<RegistryListener>();
  return {
    entries,
    listeners,
    async *search() {
      await Promise.resolve();
      yield* entries.values();
    },
    follow: (listener: RegistryListener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(entry: RegistryViewEntry) {
      entries.set(entry.id, entry);
      for (const { changed } of listeners) changed(entry);
    },
    remove(id: string) {
      entries.delete(id);
      for (const { removed } of listeners) removed(id);
    },
  };
}

const chat = (status: RegistryViewEntry['status']): RegistryViewEntry => ({
  kind: 'hyperty',
  id: 'hyperty://acme.example/alice/chat',
  name: 'chat',
  owner: ALICE,
  status,
});

describe('a live search', () => {
  let clock: ManualClock;
  let company: Company;
  let registry: ReturnType<typeof createRegistry>;

  beforeEach(async () => {
    clock = createManualClock();
    registry = createRegistry();
    company = await startCompany({ clock, registry, people: [{ userId: ALICE, name: 'Alice' }] });
  });
  afterEach(() => company.stop());
  const publish = (userId: string, profile: object) => company.call(userId, 'publish-profile', profile);

  it('tells what is added, changed and removed, and nothing after it was ended', async () => {
    const { first, updates, stop } = await company.follow(CAROL, { role: 'engineer' });
    assert.deepEqual(first.results, []);
    await publish(ALICE, { role: 'Engineer' });
    await clock.advance(200);
    assert.deepEqual(
      updates.splice(0).map(({ added }) => added?.map(({ id }) => id)),
      [[ALICE]],
    );
    await publish(ALICE, { role: 'Chief engineer' });
    await clock.advance(200);
    assert.deepEqual(
      updates.splice(0).map(({ changed }) => changed?.map(({ role }) => role)),
      [['Chief engineer']],
    );
    await publish(ALICE, { role: 'Chef' });
    await clock.advance(200);
    assert.deepEqual(updates.splice(0), [{ removed: [ALICE] }]);
    stop();
    await publish(ALICE, { role: 'Engineer' });
    await clock.advance(200);
    assert.deepEqual(updates, []);
  });

  it('takes somebody away as soon as they hide', async () => {
    await publish(ALICE, { visibility: { identity: 'public' } });
    const { first, updates } = await company.follow(BOB, { text: 'alice' });
    assert.deepEqual(
      first.results.map(({ id }) => id),
      [ALICE],
    );
    await publish(ALICE, {});
    await clock.advance(200);
    assert.deepEqual(updates, [{ removed: [ALICE] }]);
  });

  it('says nothing of changes that the follower may not see', async () => {
    await publish(ALICE, { visibility: { identity: 'public' } });
    const { updates } = await company.follow(BOB, { text: 'alice' });
    await publish(ALICE, { visibility: { identity: 'public' }, role: 'Boss', place: 'Rome' });
    registry.set(chat('live'));
    await clock.advance(200);
    assert.deepEqual(updates, []);
  });

  it('follows hyperties and who is live', async () => {
    const { updates } = await company.follow(CAROL, { status: 'live' });
    registry.set(chat('live'));
    await clock.advance(200);
    assert.deepEqual(
      updates.splice(0).flatMap(({ added }) => added?.map(({ id }) => id)),
      [ALICE, chat('live').id],
    );
    registry.set(chat('disconnected'));
    await clock.advance(200);
    assert.deepEqual(updates.splice(0), [{ removed: [ALICE, chat('live').id] }]);
    registry.set(chat('live'));
    registry.remove(chat('live').id);
    await clock.advance(200);
    assert.deepEqual(updates, []);
  });

  it('reads the registry again when changes may have been missed', async () => {
    registry.set(chat('live'));
    registry.entries.clear();
    registry.entries.set('hyperty://acme.example/alice/talk', {
      ...chat('live'),
      id: 'hyperty://acme.example/alice/talk',
      name: 'talk',
    });
    const { updates } = await company.follow(CAROL, { kinds: ['hyperty'] });
    for (const { missed } of registry.listeners) missed();
    await clock.advance(200);
    assert.deepEqual(updates, [
      {
        added: [
          {
            kind: 'hyperty',
            id: 'hyperty://acme.example/alice/talk',
            name: 'talk',
            owner: ALICE,
            status: 'live',
            domain: 'acme.example',
            score: 1,
          },
        ],
        removed: [chat('live').id],
      },
    ]);
  });

  it('gathers a storm of changes into few updates', async () => {
    const { updates } = await company.follow(CAROL, { kinds: ['person'], limit: 100 });
    for (let n = 0; n < 50; n += 1) await publish(`@u${n}:acme.example`, { name: `User ${n}` });
    await clock.advance(200);
    assert.equal(updates.length, 1);
    assert.equal(updates[0]?.added?.length, 50);
  });

  it('fills the place that comes free, and moves up who fits better', async () => {
    for (const name of ['Ann B', 'Ann C', 'Ann D'])
      await publish(`@${name.at(-1)?.toLowerCase()}:acme.example`, { name });
    const { first, updates } = await company.follow(CAROL, { text: 'ann', limit: 2 });
    assert.deepEqual(
      first.results.map(({ name }) => name),
      ['Ann B', 'Ann C'],
    );
    await publish('@b:acme.example', { name: 'Bea' });
    await clock.advance(200);
    const [{ added, removed } = {}] = updates;
    assert.deepEqual([added?.map(({ name }) => name), removed], [['Ann D'], ['@b:acme.example']]);
  });

  it('is told of what another process of the company keeps', async () => {
    const medium = createMemoryMedium();
    const open = () => startCompany({ clock, store: createMemoryStore({ medium, clock }) });
    const [one, other] = [await open(), await open()];
    const { updates } = await one.follow(CAROL, { text: 'dora' });
    await other.call('@dora:acme.example', 'publish-profile', { name: 'Dora' });
    await clock.advance(200);
    assert.deepEqual(
      updates.map(({ added }) => added?.map(({ name }) => name)),
      [['Dora']],
    );
    await one.stop();
    await other.stop();
    const third = await open();
    assert.deepEqual(await third.find(CAROL, { text: 'dora' }), ['@dora:acme.example']);
    await third.stop();
  });

  it('hides whom it cannot read in the store', async () => {
    const store = createMemoryStore({ clock });
    await store.commit([{ key: 'service/profile/%40eve%3Aacme.example', value: '{"name":' }]);
    const other = await startCompany({
      clock,
      store,
      people: [{ userId: '@eve:acme.example', name: 'Eve' }],
    });
    assert.deepEqual(await other.find(CAROL, { text: 'eve' }), []);
    await other.stop();
  });

  it('follows the first page alone', async () => {
    await assert.rejects(company.follow(CAROL, { cursor: 'x' }), { code: 'invalid' });
  });
});
