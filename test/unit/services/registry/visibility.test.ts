/** What the registry gives to whom: of others, only what these show. */
import assert from 'node:assert/strict';
import {
  createMemoryStore,
  hypertyAddress,
  registryContract,
  systemClock,
  type Runtime,
} from '@hyperty/runtime';
import { createRegistry } from '../../../../services/src/registry/registry.ts';
import { eventually } from '../../../support/eventually.ts';
import { createMemoryDomains, type MemoryDomains } from '../../../support/memory-domain.ts';

const chat = hypertyAddress({ domain: 'acme.example', owner: 'alice', name: 'chat' });
const OWNER = '@alice:acme.example';

describe('what a registry shows', () => {
  let domains: MemoryDomains;
  let shown: Set<string>;
  let alice: Runtime;
  let bob: Runtime;

  beforeEach(async () => {
    domains = createMemoryDomains();
    shown = new Set();
    const mayFind = (userId: string, { domain }: { readonly domain: string }): boolean =>
      shown.has(`${userId} ${domain}`);
    await domains.serve(createRegistry({ store: createMemoryStore(), clock: systemClock, mayFind }));
    alice = await domains.person('alice');
    bob = await domains.person('bob', 'partner.example');
    const entries = [{ address: chat }];
    await alice.services.at(registryContract).call('register', { runtime: alice.address, entries });
  });
  afterEach(() => domains.stop());

  const asBob = () => bob.services.at(registryContract, 'acme.example');

  it('is nothing of who does not show it, found by owner or by address', async () => {
    assert.deepEqual((await asBob().call('search', { owner: OWNER })).entries, []);
    assert.deepEqual((await asBob().call('look-up', { address: [chat] })).entries, []);
    const own = await alice.services.at(registryContract).call('search', { owner: OWNER });
    assert.ok(own.entries.some(({ address }) => address === chat));
  });

  it('is shown to those whom its owner shows it', async () => {
    shown.add(`${OWNER} partner.example`);
    const { entries } = await asBob().call('search', { owner: OWNER });
    assert.ok(entries.some(({ address }) => address === chat));
  });

  it('reaches followers while it is shown to them', async () => {
    const heard: string[] = [];
    asBob().follow(
      'look-up',
      { address: [chat] },
      {
        output: () => heard.push('began'),
        update: ({ entries }) => heard.push(...entries.map(({ state }) => state)),
        failed: (error) => assert.ifError(error),
      },
    );
    await eventually(() => heard.length === 1, 'it is followed');
    const registry = alice.services.at(registryContract);
    await registry.call('disconnect', { runtime: alice.address });
    shown.add(`${OWNER} partner.example`);
    await registry.call('renew', { runtime: alice.address });
    await eventually(() => heard.length > 1, 'it is told');
    assert.deepEqual(heard, ['began', 'live']);
  });
});
