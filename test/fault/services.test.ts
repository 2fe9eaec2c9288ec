/** The services of a domain while processes, homeservers and Redis die under load. Real processes all of them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import {
  discoveryContract,
  hypertyAddress,
  registryContract,
  runtimeParts,
  type Runtime,
} from '@hyperty/runtime';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/free-ports.ts';
import type { RunningCommand } from '../support/hyperty-command.ts';
import { createPeople, type People } from '../support/matrix-people.ts';
import { requireRedis, type TestRedis } from '../support/redis.ts';
import { requireSynapse } from '../support/synapse.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';
import { createServicesCommands, type ServicesCommands } from '../support/services-command.ts';
import { sharedWorld, type TestWorld } from '../support/world.ts';

describe('the services of a domain under load', function () {
  this.timeout(120_000);
  let world: TestWorld;
  let redis: TestRedis;
  let folder: TemporaryFolder;
  let people: People;
  const commands = createServicesCommands();

  before(async function () {
    await requireSynapse(this);
    redis = await requireRedis(this);
    world = await sharedWorld();
    folder = await createTemporaryFolder();
  });
  beforeEach(() => {
    people = createPeople();
  });
  afterEach(async () => {
    await people.stop();
    await commands.stop();
  });
  after(async () => {
    await redis.close();
    await folder.remove();
  });

  const start: ServicesCommands['start'] = (...args) => commands.start(...args);
  const kill = async (command: RunningCommand): Promise<void> => {
    command.kill('SIGKILL');
    await command.ended;
  };

  /** Registers entries one after the other, each as often as it takes; gives the names that were acknowledged. */
  function registering(runtime: Runtime): { readonly acknowledged: string[]; stop(): Promise<void> } {
    const registry = runtime.services.at(registryContract);
    const { domain, owner } = runtimeParts(runtime.address);
    const acknowledged: string[] = [];
    let isOver = false;
    const stopped = (): boolean => isOver;
    const work = (async () => {
      for (let n = 0; !stopped(); n += 1) {
        const address = hypertyAddress({ domain, owner, name: `n${n}` });
        const input = { runtime: runtime.address, entries: [{ address }], add: true, leaseSeconds: 600 };
        // A request that meets a death waits in the link until somebody serves again.
        await registry.call('register', input, { timeoutMs: 60_000 });
        acknowledged.push(address);
      }
    })();
    return {
      acknowledged,
      stop: async () => {
        isOver = true;
        await work;
      },
    };
  }

  /** All that were acknowledged are there, as the service says now. */
  async function expectAll(runtime: Runtime, addresses: readonly string[]): Promise<void> {
    const registry = runtime.services.at(registryContract);
    for (let n = 0; n < addresses.length; n += 100) {
      const part = addresses.slice(n, n + 100);
      const { entries } = await registry.call('look-up', { address: part }, { timeoutMs: 30_000 });
      assert.deepEqual(new Set(entries.map(({ address }) => address)), new Set(part));
    }
  }

  const more = async (load: { readonly acknowledged: readonly string[] }, what: string): Promise<void> => {
    const count = load.acknowledged.length;
    await eventually(() => load.acknowledged.length > count + 20, what, 60_000);
  };

  it('lose nothing that was acknowledged when one of two processes is killed, again and again', async () => {
    const [one, two] = await freePorts(4);
    const args = (port: number): string[] => ['--listen', String(port), '--store', `${redis.url}/0#faults`];
    const first = await start(world.acme, args(one));
    const second = await start(world.acme, args(two));
    assert.match(second.output(), /read by another process now/);
    const { runtime } = await people.start(world.acme, 'alice');
    const load = registering(runtime);
    await more(load, 'entries are registered');
    await kill(first);
    await more(load, 'the second one goes on');
    const third = await start(world.acme, args(one));
    await kill(second);
    await more(load, 'the third one goes on');
    await load.stop();
    await expectAll(runtime, load.acknowledged);
    third.kill('SIGTERM');
    assert.equal(await third.ended, 0);
  });

  it('go on where they stood when Redis is killed and started again', async () => {
    const [port] = await freePorts(1);
    await start(world.acme, ['--listen', String(port), '--store', `${redis.url}/0#restarts`]);
    const { runtime } = await people.start(world.acme, 'alice');
    const load = registering(runtime);
    await more(load, 'entries are registered');
    await redis.kill();
    await redis.start();
    await more(load, 'they go on');
    await load.stop();
    await expectAll(runtime, load.acknowledged);
  });

  it('go on where they stood when they are killed alone, and when their homeserver is', async () => {
    const [port] = await freePorts(1);
    const args = ['--listen', String(port), '--data', join(folder.path, 'alone')];
    const first = await start(world.acme, args);
    const { runtime } = await people.start(world.acme, 'alice');
    const load = registering(runtime);
    await more(load, 'entries are registered');
    await kill(first);
    await start(world.acme, args);
    await more(load, 'they go on after their death');
    await world.acme.homeserver.kill();
    await world.acme.homeserver.start();
    await more(load, 'they go on after that of the homeserver');
    await load.stop();
    await expectAll(runtime, load.acknowledged);
  });

  it('answer for a partner that is down by the deadline, and find it again without help', async () => {
    const [one, two] = await freePorts(4);
    const data = (name: string): string[] => ['--data', join(folder.path, name)];
    const { acme, partner } = world;
    await start(acme, ['--listen', String(one), ...data('acme'), '--partner', partner.serverName]);
    const theirs = ['--listen', String(two), ...data('partner'), '--partner', acme.serverName];
    const down = await start(partner, theirs);
    const { runtime: alice } = await people.start(acme, 'alice');
    const { runtime: bob } = await people.start(partner, 'bob');
    const visibility = { identity: 'partners' } as const;
    const profile = { name: 'Robert', visibility, partners: [acme.serverName] };
    await bob.services.at(discoveryContract).call('publish-profile', profile);
    const search = async (): Promise<{ found: number; partial: unknown }> => {
      const query = { text: 'robert', domains: 'partners' as const };
      const { results, partial } = await alice.services.at(discoveryContract).call('search', query);
      return { found: results.length, partial };
    };
    await eventually(async () => (await search()).found === 1, 'the partner is found');
    await kill(down);
    await partner.homeserver.stop();
    const startedAt = performance.now();
    const { found, partial } = await search();
    assert.ok(performance.now() - startedAt < 10_000);
    assert.equal(found, 0);
    assert.equal((partial as { domain: string }[])[0]?.domain, partner.serverName);
    await partner.homeserver.start();
    await start(partner, theirs);
    await eventually(async () => (await search()).found === 1, 'the partner is found again');
  });
});
