import assert from 'node:assert/strict';
import { createRegistryClient, registryContract, type RegistryClient, type RegistryEntry, type Runtime } from '@hyperty/runtime'; // prettier-ignore
import { failsWith } from '../../../support/hosting.ts';
import { openCompany, type Company } from './company.ts';

const DESK = 'runtime://acme.example/alice/DESK';
const CHAT = 'hyperty://acme.example/alice/chat';

describe('asking registries', () => {
  let company: Company;
  let alice: Runtime;
  let client: RegistryClient;
  const calls: string[] = [];

  const register = (entries: object[]): Promise<unknown> =>
    company.clock.until(
      alice.services.at(registryContract).call('register', { runtime: DESK, entries: entries as never }),
    );
  const lookUp = (address: string, by = client): Promise<readonly RegistryEntry[]> =>
    company.clock.until(by.lookUp(address));

  beforeEach(async () => {
    company = openCompany();
    const service = await company.serve();
    service.runtime.incoming.use((envelope) => {
      calls.push((envelope.body as { type?: string } | undefined)?.type ?? envelope.type);
      return envelope;
    });
    alice = await company.domains.person('alice');
    const bob = await company.domains.person('bob', 'partner.example');
    client = createRegistryClient(bob, { now: () => company.clock.now() });
    await register([{ address: CHAT, resources: ['chat'] }]);
    calls.length = 0;
  });
  afterEach(() => company.stop());

  it("gives a partner's entry with its runtime, and remembers it until its lease runs out", async () => {
    const [entry] = await lookUp(CHAT);
    assert.deepEqual([entry?.runtime, entry?.state, entry?.kind], [DESK, 'live', 'hyperty']);
    await company.clock.advance(30_000);
    assert.deepEqual(await lookUp(CHAT), [entry]);
    assert.deepEqual(calls, ['look-up']);
    await company.clock.advance(31_000);
    assert.equal((await lookUp(CHAT))[0]?.state, 'disconnected');
    assert.deepEqual(calls, ['look-up', 'look-up']);
  });

  it('asks again for what was forgotten, and for what was not there', async () => {
    await lookUp(CHAT);
    client.forget(CHAT);
    await lookUp(CHAT);
    await assert.rejects(lookUp(`${CHAT}-2`), failsWith('not-found'));
    await register([{ address: `${CHAT}-2` }]);
    assert.equal((await lookUp(`${CHAT}-2`)).length, 1);
    assert.deepEqual(calls, ['look-up', 'look-up', 'look-up', 'register', 'look-up']);
  });

  it('asks its own registry each time', async () => {
    const own = createRegistryClient(alice);
    await lookUp(CHAT, own);
    await lookUp(CHAT, own);
    assert.deepEqual(calls, ['look-up', 'look-up']);
  });

  it('follows entries, and forgets what it remembered of those that change', async () => {
    await lookUp(CHAT);
    const told: string[] = [];
    const stop = client.follow(
      { owner: '@alice:acme.example' },
      {
        entries: (entries) => told.push(...entries.map(({ state }) => `now ${state}`)),
        changed: (entries) => told.push(...entries.map(({ state }) => state)),
        failed: (error) => assert.ifError(error),
      },
      { domain: 'acme.example' },
    );
    await company.clock.advance(100);
    await company.clock.until(alice.services.at(registryContract).call('disconnect', { runtime: DESK }));
    await company.clock.advance(100);
    assert.deepEqual(told, ['now live', 'disconnected']);
    assert.equal((await lookUp(CHAT))[0]?.state, 'disconnected');
    stop();
    await company.clock.advance(100);
    assert.ok(calls.includes('unsubscribe'));
  });

  it('is told what is wrong with a search', async () => {
    const asked = client.search({ resources: ['chat'] }, { domain: 'acme.example' });
    await assert.rejects(company.clock.until(asked), failsWith('forbidden', /discovery/));
    await assert.rejects(
      company.clock.until(client.search({}, { domain: 'acme.example' })),
      failsWith('invalid'),
    );
    await assert.rejects(lookUp('chat'), failsWith('invalid'));
  });
});
