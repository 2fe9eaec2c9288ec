/** Behaviours 77–88 of the earlier fabric's registries, as this one has them; the numbers are in the names. */
import assert from 'node:assert/strict';
import type { RegistryEntry } from '@hyperty/runtime';
import { failsWith } from '../../../support/hosting.ts';
import { ALICE, ALICES, CHAT, openDesk, registerAlice, type Desk, type Lease } from './desk.ts';

const PHONE = 'runtime://acme.example/alice/PHONE';
const TABLET = 'runtime://acme.example/alice/TABLET';

describe('the behaviours of a registry', () => {
  let desk: Desk;

  beforeEach(async () => (desk = await openDesk()));
  afterEach(() => desk.stop());

  it('77: refuses an entry without an address, and a registration without a runtime', async () => {
    await assert.rejects(registerAlice(desk, { entries: [{ resources: ['chat'] }] }), failsWith('schema'));
    await assert.rejects(desk.call(ALICE, 'register', { entries: [] }), failsWith('schema'));
  });

  it("78: refuses somebody else's address, and leaves the entry as it was", async () => {
    await registerAlice(desk);
    const mallory = 'runtime://acme.example/mallory/DESK';
    const entries = [{ address: CHAT, name: 'mine now' }];
    await assert.rejects(
      desk.call(mallory, 'register', { runtime: mallory, entries }),
      failsWith('forbidden', /alice\/chat/),
    );
    const [entry] = await desk.lookUp(CHAT);
    assert.deepEqual([entry?.name, entry?.owner, entry?.runtime], [undefined, 'acme.example/alice', ALICES]);
  });

  it('79: lists an entry whose lease has run out as disconnected', async () => {
    await registerAlice(desk);
    await desk.clock.advance(60_000);
    const { entries } = await desk.search({ owner: ALICE });
    assert.deepEqual(
      entries.map(({ address, state }) => [address, state]),
      [[CHAT, 'disconnected']],
    );
  });

  it('80: lists one live entry and two disconnected ones with their states', async () => {
    for (const runtime of [ALICES, PHONE, TABLET])
      await desk.call(runtime, 'register', { runtime, entries: [{ address: CHAT }] });
    for (const runtime of [PHONE, TABLET]) await desk.call(runtime, 'disconnect', { runtime });
    const { entries } = await desk.search({ owner: 'acme.example/alice' });
    assert.deepEqual(entries.map(({ state }) => state).sort(), ['disconnected', 'disconnected', 'live']);
    const [first, ...others] = await desk.lookUp(CHAT);
    assert.deepEqual([first?.runtime, others.length], [ALICES, 2], 'the live one comes first');
  });

  it('81: makes an entry live again by a renewal, and keeps when it started', async () => {
    await registerAlice(desk);
    const [before] = await desk.lookUp(CHAT);
    await desk.clock.advance(90_000);
    const lease = (await desk.call(ALICES, 'renew', { runtime: ALICES })) as Lease;
    assert.deepEqual(lease, { leaseSeconds: 60, expiresAt: desk.clock.now() + 60_000, entries: 1 });
    const [after] = await desk.lookUp(CHAT);
    assert.deepEqual([after?.state, after?.startedAt], ['live', before?.startedAt]);
    assert.equal(after?.expiresAt, lease.expiresAt);
  });

  it('82: changes only the fields that an update gives', async () => {
    await registerAlice(desk);
    await desk.call(ALICE, 'update', { address: CHAT, name: 'Alice at work' });
    const [entry] = await desk.lookUp(CHAT);
    assert.deepEqual(
      [entry?.name, entry?.resources, entry?.schemas],
      ['Alice at work', ['chat'], ['https://acme.example/message']],
    );
    await desk.call(ALICE, 'update', { address: CHAT, name: null });
    assert.equal((await desk.lookUp(CHAT))[0]?.name, undefined);
  });

  it('83: answers the renewal of what it does not know with not-found', async () => {
    await assert.rejects(desk.call(ALICES, 'renew', { runtime: ALICES }), failsWith('not-found', /register/));
    await assert.rejects(desk.call(ALICE, 'update', { address: CHAT, name: 'x' }), failsWith('not-found'));
  });

  it('84: finds only entries that have all that is asked for, and refuses to search for nothing', async () => {
    const address = (name: string): string => `hyperty://acme.example/alice/${name}`;
    await registerAlice(desk, {
      entries: [
        { address: address('one'), resources: ['chat'], schemas: ['a'] },
        { address: address('two'), resources: ['chat', 'video'], schemas: ['a'] },
        { address: address('three'), resources: ['chat', 'video'], schemas: ['a', 'b'] },
      ],
    });
    const names = async (criteria: object): Promise<string[]> =>
      (await desk.search(criteria)).entries.map((entry) => entry.address.split('/').at(-1) ?? '');
    assert.deepEqual(await names({ resources: ['video', 'chat'] }), ['three', 'two']);
    assert.deepEqual(await names({ resources: ['video'], schemas: ['b', 'a'] }), ['three']);
    assert.deepEqual(await names({ resources: ['video'], schemas: ['c'] }), []);
    for (const nothing of [{}, { resources: [] }, { state: 'live' }, { kind: 'hyperty' }])
      await assert.rejects(desk.search(nothing), failsWith('invalid'));
  });

  it('85: tells a follower each change once', async () => {
    const told: RegistryEntry[] = [];
    await desk.follow('search', { owner: ALICE }, told);
    await registerAlice(desk);
    await desk.call(ALICES, 'renew', { runtime: ALICES });
    await desk.clock.settle();
    assert.deepEqual(
      told.map(({ address, state }) => [address, state]),
      [[CHAT, 'live']],
    );
  });

  it('86: says of a malformed address that it is malformed, not that it was not found', async () => {
    for (const text of ['chat', 'hyperty://', 'hyperty://acme.example/../x', '%'.repeat(900)]) {
      await assert.rejects(desk.lookUp(text), failsWith('invalid'));
      await assert.rejects(desk.search({ reporter: text }), failsWith('invalid'));
    }
  });

  it('87: tells a follower of an entry that it is disconnected, and then that it is gone', async () => {
    const told: RegistryEntry[] = [];
    await registerAlice(desk);
    await desk.follow('look-up', { address: CHAT }, told);
    await desk.clock.advance(61_000);
    assert.deepEqual(
      told.map(({ state }) => state),
      ['disconnected'],
    );
    await desk.clock.advance(600_000);
    assert.deepEqual(
      told.map(({ state }) => state),
      ['disconnected', 'gone'],
    );
    await assert.rejects(desk.lookUp(CHAT), failsWith('not-found'));
  });

  it('88: finds by owner, owner and scheme, resources, all of these and address; nothing else is found', async () => {
    await registerAlice(desk);
    const all = {
      owner: ALICE,
      kind: 'hyperty',
      resources: ['chat'],
      schemas: ['https://acme.example/message'],
    };
    for (const criteria of [
      { owner: ALICE },
      { owner: ALICE, kind: 'hyperty' },
      { owner: ALICE, resources: ['chat'] },
      all,
    ])
      assert.equal((await desk.search(criteria)).entries.length, 1);
    assert.equal((await desk.lookUp(CHAT)).length, 1);
    assert.deepEqual((await desk.search({ owner: '@carol:acme.example' })).entries, []);
    await assert.rejects(desk.lookUp('hyperty://acme.example/alice/other'), failsWith('not-found'));
  });
});
