import assert from 'node:assert/strict';
import { failsWith } from '../../../support/hosting.ts';
import { ALICE, ALICES, CHAT, openDesk, registerAlice, type Desk } from './desk.ts';

const BOB = '@bob:partner.example';

describe('hostile input of a registry', () => {
  let desk: Desk;

  beforeEach(async () => (desk = await openDesk({ limits: { entriesPerOwner: 10, runtimesPerOwner: 3 } })));
  afterEach(() => desk.stop());

  it('for a runtime of somebody else, or of another device, is refused', async () => {
    const entries = [{ address: CHAT }];
    for (const runtime of ['runtime://acme.example/bob/DESK', 'runtime://acme.example/alice/PHONE'])
      await assert.rejects(desk.call(ALICES, 'register', { runtime, entries }), failsWith('forbidden'));
    for (const runtime of ['runtime://acme.example/alice/*', CHAT, 'runtime://acme.example/alice'])
      await assert.rejects(desk.call(ALICE, 'register', { runtime, entries }), failsWith('invalid'));
  });

  it('cannot renew, change, disconnect or remove what is of somebody else', async () => {
    await registerAlice(desk);
    const mallory = '@mallory:acme.example';
    for (const [operation, input] of [
      ['renew', { runtime: ALICES }],
      ['disconnect', { runtime: ALICES }],
      ['disconnect', { runtime: 'runtime://acme.example/mallory/PC', address: CHAT }],
      ['update', { address: CHAT, name: 'hers' }],
      ['remove', { address: CHAT }],
      ['remove', { address: [CHAT], runtime: ALICES }],
    ] as const)
      await assert.rejects(desk.call(mallory, operation, input), failsWith('forbidden'));
    assert.equal((await desk.lookUp(CHAT))[0]?.state, 'live');
  });

  it('is not registered for services, users, other runtimes and addresses without an owner', async () => {
    for (const [address, code] of [
      ['domain://registry.acme.example', 'forbidden'],
      ['hyperty://acme.example/chat', 'forbidden'],
      ['user://acme.example/alice', 'invalid'],
      ['runtime://acme.example/alice/PHONE', 'invalid'],
    ] as const)
      await assert.rejects(registerAlice(desk, { entries: [{ address }] }), failsWith(code));
    assert.deepEqual((await desk.search({ runtime: ALICES })).entries, []);
  });

  it('of partners finds what they name the owner of, and harvests nothing', async () => {
    await registerAlice(desk);
    assert.equal((await desk.search({ owner: ALICE }, BOB)).entries.length, 1);
    assert.equal((await desk.lookUp(CHAT, BOB)).length, 1);
    for (const criteria of [
      { resources: ['chat'] },
      { name: 'Alice' },
      { schemas: ['https://acme.example/message'] },
    ])
      await assert.rejects(desk.search(criteria, BOB), failsWith('forbidden', /discovery/));
    const runtime = 'runtime://partner.example/bob/PC';
    await assert.rejects(desk.call(BOB, 'register', { runtime, entries: [] }), failsWith('forbidden'));
  });

  it('finds nothing by wildcards', async () => {
    await registerAlice(desk, { entries: [{ address: CHAT, name: '%', resources: ['*'] }] });
    for (const owner of ['%', '*', '@%:acme.example', 'acme.example/*', '@alice:*', '@:', 'acme.example/'])
      assert.deepEqual(
        await desk.search({ owner }).then(
          ({ entries }) => entries,
          () => [],
        ),
        [],
        owner,
      );
    assert.equal((await desk.search({ name: '%' })).entries.length, 1, 'a name is a name');
    assert.deepEqual((await desk.search({ resources: ['%'] })).entries, []);
  });

  it('is bounded in size and number', async () => {
    const entry = { address: CHAT };
    for (const odd of [
      { name: 'x'.repeat(257) },
      { resources: Array.from({ length: 33 }, String) },
      { resources: ['x'.repeat(257)] },
      { schemas: 'one' },
      { descriptor: 'x'.repeat(513) },
      { name: 'a\u0000b' },
      { name: '\ud800' },
      { address: `hyperty://acme.example/alice/${'x'.repeat(1024)}` },
    ])
      await assert.rejects(registerAlice(desk, { entries: [{ ...entry, ...odd }] }), failsWith('schema'));
    await assert.rejects(
      registerAlice(desk, { entries: Array.from({ length: 10_001 }, () => entry) }),
      failsWith('schema'),
    );
    await assert.rejects(desk.lookUp(Array.from({ length: 101 }, () => CHAT)), failsWith('schema'));
    await assert.rejects(desk.search({ owner: ALICE, limit: 100_000 }), failsWith('schema'));
  });

  it('of one account is kept within its share', async () => {
    const entries = Array.from({ length: 11 }, (_, n) => ({ address: `${CHAT}-${n}` }));
    await assert.rejects(registerAlice(desk, { entries }), failsWith('rate-limited'));
    await registerAlice(desk, { entries: entries.slice(1) });
    await registerAlice(desk, { entries: entries.slice(0, 10) });
    for (const device of ['A', 'B'])
      await desk.call(ALICE, 'register', { runtime: `runtime://acme.example/alice/${device}`, entries: [] });
    const fourth = 'runtime://acme.example/alice/C';
    await assert.rejects(
      desk.call(ALICE, 'register', { runtime: fourth, entries: [] }),
      failsWith('rate-limited', /runtimes/),
    );
  });

  it('in any script, and as long as addresses can be, is kept and found', async () => {
    const address = 'hyperty://acme.example/alice/%E3%83%81%E3%83%A3%E3%83%83%E3%83%88';
    const long = `hyperty://acme.example/alice/${'n'.repeat(480)}`;
    const runtime = `runtime://acme.example/alice/${'d'.repeat(480)}`;
    const name = 'Zoë „😀“ \u202e';
    await desk.call(ALICE, 'register', {
      runtime,
      entries: [{ address, name, resources: ['テレビ', '__proto__'] }, { address: long }],
    });
    for (const store of [desk, await openDesk({ clock: desk.clock, medium: desk.medium })]) {
      assert.equal((await store.lookUp(long))[0]?.runtime, runtime);
      assert.equal((await store.search({ name })).entries[0]?.address, address);
      assert.equal((await store.search({ resources: ['テレビ', '__proto__'] })).entries.length, 1);
      if (store !== desk) await store.stop();
    }
    await desk.call(ALICE, 'register', { runtime, entries: [] });
    assert.deepEqual((await desk.search({ runtime })).entries, []);
  });

  it('as a cursor gives a page, or nothing', async () => {
    await registerAlice(desk, { entries: ['a', 'b', 'c'].map((n) => ({ address: `${CHAT}-${n}` })) });
    const first = await desk.search({ owner: ALICE, limit: 2 });
    assert.equal(first.entries.length, 2);
    const rest = await desk.search({ owner: ALICE, cursor: first.cursor });
    assert.deepEqual([rest.entries.length, rest.cursor], [1, undefined]);
    for (const cursor of ['\u0000', '~~~~', '../..', 'zzz|zzz'])
      assert.ok((await desk.search({ owner: ALICE, cursor })).entries.length <= 3);
    await assert.rejects(desk.search({ owner: ALICE, cursor: 'x'.repeat(3000) }), failsWith('schema'));
  });
});
