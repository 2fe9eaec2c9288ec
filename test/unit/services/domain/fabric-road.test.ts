import assert from 'node:assert/strict';
import { counter, counterContract as contract } from '../../../support/counter-service.ts';
import { eventually } from '../../../support/eventually.ts';
import { failsWith } from '../../../support/hosting.ts';
import { createMemoryDomains, type MemoryDomains } from '../../../support/memory-domain.ts';

describe('a service over the fabric', () => {
  let domains: MemoryDomains;

  beforeEach(() => (domains = createMemoryDomains()));
  afterEach(() => domains.stop());

  it('is called without a look-up, by its own company and by others, and knows who calls', async () => {
    await domains.serve(counter().service);
    const alice = await domains.person('alice');
    const bob = await domains.person('bob', 'partner.example');
    const first = await alice.services.at(contract).call('add', { by: 2 });
    assert.deepEqual(first, { sum: 2, who: '@alice:acme.example' });
    const second = await bob.services.at(contract, 'acme.example').call('add', { by: 3 });
    assert.deepEqual(second, { sum: 5, who: '@bob:partner.example' });
  });

  it('tells followers what changes, until they stop', async () => {
    const { service, followers } = counter();
    await domains.serve(service);
    const alice = await domains.person('alice');
    const heard: unknown[] = [];
    const peer = alice.services.at(contract);
    const stop = peer.follow(
      'watch',
      {},
      {
        output: (output) => heard.push(output),
        update: (sum) => heard.push(sum),
        failed: (error) => assert.ifError(error),
      },
    );
    await eventually(() => heard.length === 1, 'the sum comes');
    await peer.call('add', { by: 1 });
    await peer.call('add', { by: 1 });
    await eventually(() => heard.length === 3, 'both updates come');
    assert.deepEqual(heard, [{ sum: 0 }, 1, 2]);
    stop();
    await eventually(() => followers.size === 0, 'nobody follows any more');
  });

  it('subscribes again when the service comes back in a new life', async () => {
    const { service } = counter();
    const served = await domains.serve(service);
    const alice = await domains.person('alice');
    const heard: unknown[] = [];
    alice.services.at(contract).follow(
      'watch',
      {},
      {
        output: (output) => heard.push(output),
        update: (sum) => heard.push(sum),
        failed: (error) => assert.ifError(error),
      },
    );
    await eventually(() => heard.length === 1, 'the sum comes');
    await served.stop();
    await domains.serve(service);
    await eventually(() => heard.length === 2, 'the sum comes again');
    await alice.services.at(contract).call('add', { by: 7 });
    await eventually(() => heard.at(-1) === 7, 'the update comes');
  });

  it('refuses unknown operations, malformed input and callers it is not for', async () => {
    await domains.serve(counter().service);
    const alice = await domains.person('alice');
    const bob = await domains.person('bob', 'partner.example');
    const address = 'domain://counter.acme.example';
    await assert.rejects(alice.ask(address, { type: 'constructor' }), failsWith('unsupported'));
    await assert.rejects(alice.ask(address, { type: 'add', by: 'x' }), failsWith('schema'));
    await assert.rejects(bob.ask(address, { type: 'reset' }), failsWith('forbidden'));
  });

  it('is served by its own account alone', async () => {
    const alice = await domains.person('alice');
    const handler = { ask: () => Promise.reject(new Error()), follow: () => Promise.reject(new Error()) };
    assert.throws(() => alice.services.serve('counter', handler), failsWith('forbidden'));
  });
});
