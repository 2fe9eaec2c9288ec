import assert from 'node:assert/strict';
import { createMemoryStore, registryContract, systemClock, type RegistryEntry } from '@hyperty/runtime';
import { createRegistry } from '../../../../services/src/registry/registry.ts';
import { authorizationOf, bothRoads, type BothRoads } from '../../../support/both-roads.ts';
import { failsWith } from '../../../support/hosting.ts';
import { suiteOnRedis } from '../../../support/redis-stores.ts';
import { eventually } from '../../../support/eventually.ts';
import { ALICE, CHAT, deskOf, registerAlice } from './desk.ts';

const RUNTIME = 'runtime://acme.example/alice/DESK';

for (const name of ['fabric', 'rest'] as const)
  describe(`the registry over ${name}`, () => {
    let both: BothRoads;

    const call = (operation: string, input: Readonly<Record<string, unknown>>, as = 'alice@acme.example') => {
      const road = both.roads.find((one) => one.name === name);
      return road?.call(operation, input, as) ?? Promise.reject(new TypeError(`There is no ${name}.`));
    };
    const found = async (criteria: Readonly<Record<string, unknown>>): Promise<RegistryEntry[]> =>
      registryContract.operations.search.output.parse(await call('search', criteria)).entries;

    beforeEach(async () => {
      const registry = createRegistry({ store: createMemoryStore(), clock: systemClock });
      both = await bothRoads(registry);
    });
    afterEach(() => both.stop());

    it('registers, finds, changes, renews, disconnects and removes', async () => {
      const entries = [{ address: CHAT, resources: ['chat', 'video'] }];
      await call('register', { runtime: RUNTIME, entries });
      assert.equal((await found({ resources: ['chat', 'video'] }))[0]?.runtime, RUNTIME);
      await call('update', { address: CHAT, name: 'Chat' });
      assert.equal((await found({ owner: ALICE, limit: 1 }))[0]?.name, 'Chat');
      await call('disconnect', { runtime: RUNTIME, address: [CHAT] });
      assert.equal((await found({ owner: ALICE }))[0]?.state, 'disconnected');
      const lease = registryContract.operations.renew.output.parse(await call('renew', { runtime: RUNTIME }));
      assert.deepEqual([lease.leaseSeconds, lease.entries], [60, 1]);
      assert.deepEqual(await call('remove', { address: CHAT }), { entries: 1 });
      await assert.rejects(call('look-up', { address: CHAT }), failsWith('not-found'));
    });

    it('refuses alike', async () => {
      await call('register', { runtime: RUNTIME, entries: [{ address: CHAT }] });
      const other = 'mallory@acme.example';
      await assert.rejects(call('remove', { address: CHAT }, other), failsWith('forbidden'));
      await assert.rejects(call('renew', { runtime: RUNTIME }, other), failsWith('forbidden'));
      await assert.rejects(
        call('renew', { runtime: RUNTIME }, 'alice@partner.example'),
        failsWith('forbidden'),
      );
      await assert.rejects(call('look-up', { address: 'nowhere' }), failsWith('invalid'));
      await assert.rejects(call('search', {}), failsWith('invalid'));
      const partner = 'bob@partner.example';
      await assert.rejects(call('search', { resources: ['chat'] }, partner), failsWith('forbidden'));
      assert.ok(await call('look-up', { address: CHAT }, partner));
    });
  });

describe('following entries over REST', () => {
  it('tells each change as an event', async () => {
    const both = await bothRoads(createRegistry({ store: createMemoryStore(), clock: systemClock }));
    const headers = { authorization: authorizationOf('alice@acme.example'), accept: 'text/event-stream' };
    const end = new AbortController();
    const url = `${both.url}/registry/v1/entries?owner=${encodeURIComponent(ALICE)}`;
    const response = await fetch(url, { headers, signal: end.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    const hearing = (async () => {
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done) return;
        heard += value;
      }
    })().catch(() => undefined);
    const entries = [{ address: CHAT }];
    await both.roads[1].call('register', { runtime: RUNTIME, entries }, 'alice@acme.example');
    await eventually(() => heard.includes('"live"'), 'the entry is told');
    end.abort();
    await hearing;
    await both.stop();
  });
});

describe('two processes of a registry on one Redis', () => {
  const suite = suiteOnRedis();

  it('see what each other does', async () => {
    const desks = await Promise.all(
      [0, 1].map(async () => {
        const store = await suite.stores.open();
        const service = createRegistry({ store, clock: systemClock });
        await service.start?.();
        return deskOf({ service, store });
      }),
    );
    const [one, other] = desks;
    assert.ok(one && other);
    await registerAlice(one);
    const state = async (): Promise<string | undefined> => (await other.lookUp([CHAT]))[0]?.state;
    await eventually(async () => (await state()) === 'live', 'the other sees it');
    await other.call(ALICE, 'renew', { runtime: RUNTIME });
    await one.call(ALICE, 'disconnect', { runtime: RUNTIME });
    await eventually(async () => (await state()) === 'disconnected', 'the other sees it leave');
    await other.call(ALICE, 'remove', { address: CHAT });
    await eventually(async () => (await one.lookUp([CHAT])).length === 0, 'one sees that it is removed');
    for (const { service } of desks) await service.stop?.();
  });
});
