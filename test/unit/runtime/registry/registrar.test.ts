import assert from 'node:assert/strict';
import { createRegistryClient, registryContract, silentLogger, type RegistryEntry, type Runtime } from '@hyperty/runtime'; // prettier-ignore
import { greeter, openCompany, statesOf, type Company } from './company.ts';

const ALICE = '@alice:acme.example';
const DESK = 'runtime://acme.example/alice/DESK';
const GREETER = 'hyperty://acme.example/alice/greeter';

describe('a runtime that registers what it hosts', () => {
  let company: Company;
  let bob: Runtime;
  const calls: string[] = [];

  const entries = async (): Promise<readonly RegistryEntry[]> => {
    const asking = createRegistryClient(bob).search({ owner: ALICE, limit: 200 }, { domain: 'acme.example' });
    return (await company.clock.until(asking)).entries;
  };
  /** Notes each request that reaches the registry. */
  const serve = async () => {
    const service = await company.serve();
    service.runtime.incoming.use((envelope) => {
      const type = (envelope.body as { type?: string } | undefined)?.type;
      if (envelope.to === 'domain://registry.acme.example' && type !== undefined && type !== 'search')
        calls.push(type);
      return envelope;
    });
    return service;
  };
  const isLive = async (address: string): Promise<boolean> => statesOf(await entries())[address] === 'live';

  beforeEach(async () => {
    company = openCompany();
    calls.length = 0;
    bob = await company.domains.person('bob', 'partner.example');
  });
  afterEach(() => company.stop());

  it('sends one message for all that it hosts at the start, and renews with one', async () => {
    await serve();
    const alice = await company.registering('alice');
    for (let n = 0; n < 100; n += 1) alice.host(greeter, { name: `greeter-${n}` });
    await company.eventually(async () => (await entries()).length === 101, 'all are registered');
    assert.ok(calls.length <= 2, `one for those at the start, one for those after: ${calls.join()}`);
    calls.length = 0;
    await company.clock.advance(120_000);
    assert.ok(calls.length >= 3 && calls.length <= 5, `a renewal each 24 to 36 s: ${calls.join()}`);
    assert.deepEqual(new Set(calls), new Set(['renew']));
    const [first] = (await entries()).filter(({ kind }) => kind === 'hyperty');
    assert.deepEqual(
      [first?.descriptor, first?.name, first?.resources, first?.runtime],
      ['greeter@1.2.0', 'Greets.', ['chat'], DESK],
    );
  });

  it('sends few messages for a thousand, and tells of what ends', async () => {
    await serve();
    const alice = await company.registering('alice');
    const hosted = Array.from({ length: 1000 }, (_, n) => alice.host(greeter, { name: `greeter-${n}` }));
    const client = createRegistryClient(bob);
    const stateOf = async (name: string): Promise<string> => {
      const looking = client.lookUp(`${GREETER}-${name}`).catch(() => []);
      client.forget(`${GREETER}-${name}`);
      return (await company.clock.until(looking))[0]?.state ?? 'unknown';
    };
    await company.eventually(async () => (await stateOf('999')) === 'live', 'the last is registered');
    assert.ok(calls.length <= 8, `${calls.length} messages`);
    hosted[0]?.stop();
    await company.eventually(async () => (await stateOf('0')) === 'unknown', 'the first is removed');
  });

  it('registers a description of several lines, and half a character, as one line', async () => {
    await serve();
    const alice = await company.registering('alice');
    const description = `Greets\n${'x'.repeat(248)}😀`;
    alice.host({ ...greeter, descriptor: { ...greeter.descriptor, description } });
    await company.eventually(() => isLive(GREETER), 'it is registered');
    const entry = (await entries()).find(({ address }) => address === GREETER);
    assert.equal(entry?.name, `Greets ${'x'.repeat(248)} `);
  });

  it('leaves out what is unlisted', async () => {
    await serve();
    const alice = await company.registering('alice');
    alice.host({ ...greeter, descriptor: { ...greeter.descriptor, unlisted: true } });
    await company.eventually(() => isLive(DESK), 'the runtime is registered');
    await company.clock.advance(1000);
    assert.deepEqual(statesOf(await entries()), { [DESK]: 'live' });
  });

  it('says that it leaves when it stops, and followers hear of it at once', async () => {
    await serve();
    const alice = await company.registering('alice');
    alice.host(greeter);
    await company.eventually(() => isLive(GREETER), 'it is registered');
    const told: RegistryEntry[] = [];
    createRegistryClient(bob).follow(
      { owner: ALICE },
      {
        entries: () => undefined,
        changed: (now) => told.push(...now),
        failed: (error) => assert.ifError(error),
      },
      { domain: 'acme.example' },
    );
    await company.clock.advance(100);
    const before = company.clock.now();
    await company.clock.until(alice.stop());
    await company.eventually(() => told.length === 2, 'both are disconnected');
    assert.deepEqual(statesOf(told), { [DESK]: 'disconnected', [GREETER]: 'disconnected' });
    assert.ok(company.clock.now() - before < 3000, 'long before the lease runs out');
  });

  it('is disconnected as soon as its link ends, though it says nothing to the registry', async () => {
    await serve();
    const alice = await company.domains.person('alice');
    const input = { runtime: DESK, entries: [{ address: GREETER }] };
    await company.clock.until(alice.services.at(registryContract).call('register', input));
    await company.clock.until(alice.stop());
    await company.eventually(async () => !(await isLive(GREETER)), 'it is disconnected');
    assert.deepEqual(statesOf(await entries()), { [GREETER]: 'disconnected' });
  });

  it('is not held up by a registry that is not there, and registers once it comes', async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (_: unknown, text: string) => warnings.push(text) };
    const alice = await company.registering('alice', { logger });
    alice.host(greeter);
    await company.clock.advance(300_000);
    assert.equal(warnings.filter((text) => text.includes('registry')).length, 1, 'said once');
    await serve();
    for (let minutes = 0; minutes < 5 && !(await isLive(GREETER)); minutes += 1)
      await company.clock.advance(60_000);
    assert.ok(await isLive(GREETER));
    const before = company.clock.now();
    await company.clock.until(alice.stop());
    assert.ok(company.clock.now() - before < 5000);
  });

  it('registers anew with a registry that has forgotten it', async () => {
    await serve();
    const alice = await company.registering('alice');
    alice.host(greeter);
    await company.eventually(() => isLive(GREETER), 'it is registered');
    const kept = await company.store.range({ from: 'service/', to: 'service0' });
    await company.store.commit(kept.map(({ key }) => ({ key, value: null })));
    await company.eventually(() => isLive(GREETER), 'it is registered again');
    assert.equal(calls.at(-1), 'register');
  });

  it('is back within a lease after a restart of the registry, each at its own time', async () => {
    const first = await serve();
    const owners = ['alice', 'carol', 'dave', 'erin', 'frank', 'grace'];
    for (const owner of owners) await company.registering(owner);
    await company.eventually(() => calls.length >= owners.length, 'all are registered');
    await company.clock.until(first.stop());
    await company.clock.advance(90_000);
    assert.ok(!(await company.store.get('service/lease/none')));
    calls.length = 0;
    const times = new Set<number>();
    const service = await serve();
    service.runtime.incoming.use((envelope) => {
      if ((envelope.body as { type?: string } | undefined)?.type === 'renew') times.add(company.clock.now());
      return envelope;
    });
    await company.clock.advance(60_000);
    const client = createRegistryClient(bob);
    for (const owner of owners) {
      const [entry] = await company.clock.until(client.lookUp(`runtime://acme.example/${owner}/DESK`));
      assert.equal(entry?.state, 'live', owner);
    }
    assert.ok(times.size >= 4, `renewals came at ${times.size} times`);
  });
});
