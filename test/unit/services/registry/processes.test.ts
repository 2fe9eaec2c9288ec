import assert from 'node:assert/strict';
import { createMemoryMedium, type RegistryEntry } from '@hyperty/runtime';
import { createManualClock } from '@hyperty/runtime/testing';
import fc from 'fast-check';
import { createFrailStore } from '../../../support/frail-store.ts';
import { failsWith } from '../../../support/hosting.ts';
import { ALICE, ALICES, CHAT, openDesk, registerAlice, type Desk } from './desk.ts';

const PHONE = 'runtime://acme.example/alice/PHONE';

describe('processes that share the store of a registry', () => {
  let one: Desk;
  let other: Desk;

  beforeEach(async () => {
    one = await openDesk();
    other = await openDesk({ clock: one.clock, medium: one.medium });
  });
  afterEach(async () => {
    await one.stop();
    await other.stop();
  });

  it('see what each other registers, changes, and lets go', async () => {
    await registerAlice(one);
    await one.clock.settle();
    assert.equal((await other.lookUp(CHAT))[0]?.state, 'live');
    await other.call(ALICE, 'update', { address: CHAT, name: 'Chat' });
    await one.clock.settle();
    assert.equal((await one.lookUp(CHAT))[0]?.name, 'Chat');
    await one.call(ALICES, 'disconnect', { runtime: ALICES });
    await one.clock.settle();
    assert.equal((await other.lookUp(CHAT))[0]?.state, 'disconnected');
    await other.call(ALICE, 'remove', { address: CHAT });
    await one.clock.settle();
    await assert.rejects(one.lookUp(CHAT), failsWith('not-found'));
  });

  it('renew what the other has registered, at once and later', async () => {
    await registerAlice(one);
    await other.call(ALICES, 'renew', { runtime: ALICES });
    await one.clock.advance(59_000);
    await other.call(ALICES, 'renew', { runtime: ALICES });
    await one.clock.advance(59_000);
    for (const desk of [one, other]) assert.equal((await desk.lookUp(CHAT))[0]?.state, 'live');
  });

  it('tell their own followers what happened in the other, and what time did', async () => {
    const told: RegistryEntry[] = [];
    await other.follow('look-up', { address: [CHAT] }, told);
    await registerAlice(one);
    await one.clock.advance(61_000);
    await one.call(ALICES, 'renew', { runtime: ALICES });
    await one.clock.settle();
    assert.deepEqual(
      told.map(({ state }) => state),
      ['live', 'disconnected', 'live'],
    );
  });

  it('delete what is gone though one of them has ended', async () => {
    await registerAlice(one);
    await one.clock.settle();
    await one.service.stop?.();
    await other.clock.advance(800_000);
    assert.deepEqual(await other.store.range({ from: 'service/', to: 'service0' }), []);
  });

  it('have the same entries as one that is started later, whatever was done through which of them', async () => {
    const step = fc.record({
      through: fc.boolean(),
      runtime: fc.constantFrom(ALICES, PHONE),
      name: fc.constantFrom('a', 'b', 'c'),
      what: fc.constantFrom(
        'register',
        'add',
        'renew',
        'update',
        'remove',
        'disconnect',
        'leave',
        'wait',
        'wait-long',
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const clock = createManualClock();
        const medium = createMemoryMedium();
        const desks = [await openDesk({ clock, medium }), await openDesk({ clock, medium })] as const;
        for (const [n, { through, runtime, name, what }] of steps.entries()) {
          await carryOut(desks[through ? 0 : 1], { what, runtime, address: `${CHAT}-${name}`, text: `${n}` });
          await clock.settle();
        }
        const late = await openDesk({ clock, medium });
        const [expected, ...others] = await Promise.all([late, ...desks].map(all));
        for (const found of others) assert.deepEqual(found, expected);
        for (const desk of [late, ...desks]) await desk.stop();
      }),
      { numRuns: 60 },
    );
  });
});

const all = async (desk: Desk): Promise<readonly RegistryEntry[]> =>
  (await desk.search({ owner: ALICE })).entries;

interface Step {
  readonly what: string;
  readonly runtime: string;
  readonly address: string;
  readonly text: string;
}

async function carryOut(desk: Desk, { what, runtime, address, text }: Step): Promise<void> {
  if (what === 'wait') return desk.clock.advance(40_000);
  if (what === 'wait-long') return desk.clock.advance(400_000);
  const [operation, input] = callOf({ what, runtime, address, text });
  await desk.call(ALICE, operation, input).catch((error: unknown) => failsWith('not-found')(error));
}

function callOf({ what, runtime, address, text }: Step): readonly [string, object] {
  switch (what) {
    case 'register':
    case 'add':
      return ['register', { runtime, add: what === 'add', entries: [{ address, name: text }] }];
    case 'update':
      return ['update', { address, resources: [text] }];
    case 'disconnect':
      return ['disconnect', { runtime, address }];
    case 'leave':
      return ['disconnect', { runtime }];
    case 'remove':
      return ['remove', { address, runtime }];
    default:
      return ['renew', { runtime }];
  }
}

describe('a registry that is started again', () => {
  it('has all that it had, with the time that has passed, and goes on telling', async () => {
    const first = await openDesk();
    await registerAlice(first);
    await first.call(PHONE, 'register', {
      runtime: PHONE,
      leaseSeconds: 600,
      entries: [{ address: `${CHAT}-2` }],
    });
    await first.service.stop?.();
    await first.clock.advance(90_000);
    const second = await openDesk({ clock: first.clock, medium: first.medium });
    const { entries } = await second.search({ owner: ALICE });
    assert.deepEqual(
      entries.map(({ address, state }) => [address, state]),
      [
        [CHAT, 'disconnected'],
        [`${CHAT}-2`, 'live'],
      ],
    );
    const told: RegistryEntry[] = [];
    await second.follow('search', { owner: ALICE }, told);
    await second.clock.advance(520_000);
    assert.deepEqual(
      told.map(({ address, state }) => [address, state]),
      [[`${CHAT}-2`, 'disconnected']],
    );
    await second.stop();
    await first.store.close();
  });

  it('finds the same by each of its indexes', async () => {
    const first = await openDesk();
    await registerAlice(first);
    const second = await openDesk({ clock: first.clock, medium: first.medium });
    for (const criteria of [
      { resources: ['chat'] },
      { schemas: ['https://acme.example/message'] },
      { runtime: ALICES },
    ])
      assert.deepEqual(await second.search(criteria), await first.search(criteria));
    await first.stop();
    await second.stop();
  });

  it('shows what its store has taken, and nothing that it has not', async () => {
    const [medium, clock] = [createMemoryMedium(), createManualClock()];
    const store = createFrailStore(medium, { clock });
    const desk = await openDesk({ clock, medium, store });
    store.failNext(1, 'before');
    await assert.rejects(registerAlice(desk), failsWith('storage'));
    await clock.settle();
    assert.deepEqual((await desk.search({ owner: ALICE })).entries, []);
    await registerAlice(desk);
    await clock.settle();
    store.failNext(1, 'after');
    await assert.rejects(desk.call(ALICES, 'disconnect', { runtime: ALICES }), failsWith('storage'));
    await clock.advance(2000);
    assert.equal((await desk.lookUp(CHAT))[0]?.state, 'disconnected', 'nobody knew, but it happened');
    await desk.stop();
  });
});

describe('a registry with 10,000 entries of one runtime', () => {
  it('registers them in one batch, pages through them, renews them with one row, and tells of their end', async () => {
    const desk = await openDesk();
    const entries = Array.from({ length: 10_000 }, (_, n) => ({
      address: `${CHAT}-${n}`,
      resources: n % 1000 === 0 ? ['rare', 'chat'] : ['chat'],
    }));
    assert.equal((await registerAlice(desk, { entries })).entries, 10_000);
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await desk.search({ resources: ['chat'], limit: 200, ...(cursor ? { cursor } : {}) });
      for (const { address } of page.entries) seen.add(address);
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.equal(seen.size, 10_000);
    assert.equal((await desk.search({ resources: ['chat', 'rare'] })).entries.length, 10);
    const told: RegistryEntry[] = [];
    await desk.follow('search', { owner: ALICE }, told);
    await desk.call(ALICES, 'renew', { runtime: ALICES });
    await desk.clock.advance(61_000);
    assert.equal(told.length, 10_000);
    await registerAlice(desk, { entries: [] });
    assert.deepEqual((await desk.search({ owner: ALICE })).entries, []);
    await desk.stop();
  });
});
