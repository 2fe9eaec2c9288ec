import assert from 'node:assert/strict';
import type { RegistryEntry } from '@hyperty/runtime';
import { failsWith } from '../../../support/hosting.ts';
import { ALICE, ALICES, CHAT, openDesk, registerAlice, type Desk } from './desk.ts';

const NOTES = 'hyperty://acme.example/alice/notes';

describe('leases of a registry', () => {
  let desk: Desk;

  beforeEach(async () => (desk = await openDesk()));
  afterEach(() => desk.stop());

  const states = async (): Promise<Record<string, string>> => {
    const { entries } = await desk.search({ owner: ALICE });
    return Object.fromEntries(entries.map(({ address, state }) => [address, state]));
  };

  it('are as long as asked for, within bounds, and the answer says how long', async () => {
    for (const [asked, granted] of [
      [undefined, 60],
      [120, 120],
      [31_536_000, 3600],
      [Number.MAX_VALUE, 3600],
      [0.001, 5],
    ]) {
      const lease = await registerAlice(desk, { leaseSeconds: asked });
      assert.equal(lease.leaseSeconds, granted);
      assert.equal(lease.expiresAt, desk.clock.now() + (granted ?? 0) * 1000);
    }
  });

  it('are refused when they are no time at all', async () => {
    for (const leaseSeconds of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, null, '60'])
      await assert.rejects(registerAlice(desk, { leaseSeconds }), failsWith('schema'));
    assert.deepEqual(await states(), {});
  });

  it('count as disconnected at once when they have run out, before anything was written', async () => {
    await registerAlice(desk);
    await desk.clock.advance(59_999);
    assert.deepEqual(await states(), { [CHAT]: 'live' });
    await desk.clock.advance(1);
    assert.deepEqual(await states(), { [CHAT]: 'disconnected' });
  });

  it('hold all entries of a runtime: one renewal renews them all, with one write', async () => {
    await registerAlice(desk, { entries: [{ address: CHAT }, { address: NOTES }] });
    const changed: (readonly string[] | undefined)[] = [];
    desk.store.watch('service/', (keys) => changed.push(keys));
    await desk.clock.advance(40_000);
    await desk.call(ALICES, 'renew', { runtime: ALICES });
    await desk.clock.advance(40_000);
    assert.deepEqual(await states(), { [CHAT]: 'live', [NOTES]: 'live' });
    assert.deepEqual(
      changed.map((keys) => keys?.length),
      [1],
    );
  });

  it('are replaced with their entries by the next registration, unless that adds', async () => {
    await registerAlice(desk);
    await registerAlice(desk, { add: true, entries: [{ address: NOTES }] });
    assert.deepEqual(Object.keys(await states()), [CHAT, NOTES]);
    await registerAlice(desk, { entries: [{ address: NOTES }] });
    assert.deepEqual(Object.keys(await states()), [NOTES]);
  });

  it('lose one entry that leaves, and keep the others; it comes back when it is registered again', async () => {
    await registerAlice(desk, { entries: [{ address: CHAT }, { address: NOTES }] });
    await desk.call(ALICES, 'disconnect', { runtime: ALICES, address: NOTES });
    await desk.call(ALICES, 'renew', { runtime: ALICES });
    assert.deepEqual(await states(), { [CHAT]: 'live', [NOTES]: 'disconnected' });
    await registerAlice(desk, { add: true, entries: [{ address: NOTES }] });
    assert.deepEqual(await states(), { [CHAT]: 'live', [NOTES]: 'live' });
  });

  it('end with their runtime, and live again when it renews', async () => {
    await registerAlice(desk);
    await desk.call(ALICES, 'disconnect', { runtime: ALICES });
    assert.deepEqual(await states(), { [CHAT]: 'disconnected' });
    await desk.call(ALICES, 'renew', { runtime: ALICES });
    assert.deepEqual(await states(), { [CHAT]: 'live' });
  });

  it('are deleted from the store after ten of their lengths, with what left them before', async () => {
    await registerAlice(desk, { leaseSeconds: 5, entries: [{ address: CHAT }, { address: NOTES }] });
    await desk.call(ALICES, 'disconnect', { runtime: ALICES, address: NOTES });
    for (let renewals = 0; renewals < 25; renewals += 1) {
      await desk.clock.advance(4000);
      await desk.call(ALICES, 'renew', { runtime: ALICES });
    }
    assert.deepEqual(await states(), { [CHAT]: 'live' });
    assert.equal((await desk.store.range({ from: 'service/entry/', to: 'service/entry0' })).length, 1);
    await desk.clock.advance(120_000);
    assert.deepEqual(await desk.store.range({ from: 'service/', to: 'service0' }), []);
    await assert.rejects(desk.call(ALICES, 'renew', { runtime: ALICES }), failsWith('not-found'));
  });

  it('begin anew after they were gone, without the entries of before', async () => {
    await registerAlice(desk, { entries: [{ address: CHAT }, { address: NOTES }] });
    await desk.clock.advance(661_000);
    await registerAlice(desk, { add: true, entries: [{ address: CHAT }] });
    assert.deepEqual(await states(), { [CHAT]: 'live' });
    const again = await openDesk({ clock: desk.clock, medium: desk.medium });
    assert.equal((await again.search({ owner: ALICE })).entries.length, 1);
    await again.stop();
  });

  it('tell followers when an entry no longer has what they look for, and when it is removed', async () => {
    const told: RegistryEntry[] = [];
    await registerAlice(desk);
    await desk.follow('search', { resources: ['chat'], state: 'live' }, told);
    await desk.call(ALICE, 'update', { address: CHAT, resources: ['video'] });
    assert.deepEqual(
      told.splice(0).map(({ state }) => state),
      ['gone'],
    );
    await desk.call(ALICE, 'update', { address: CHAT, resources: ['chat'] });
    assert.deepEqual(
      told.splice(0).map(({ state }) => state),
      ['live'],
    );
    await desk.call(ALICE, 'remove', { address: CHAT });
    assert.deepEqual(
      told.map(({ state }) => state),
      ['gone'],
    );
    assert.deepEqual(await desk.call(ALICE, 'remove', { address: CHAT }), { entries: 0 });
  });

  it('tell nothing to who has stopped following', async () => {
    const told: RegistryEntry[] = [];
    const stop = await desk.follow('look-up', { address: [CHAT] }, told);
    stop();
    await registerAlice(desk);
    assert.deepEqual(told, []);
  });
});
