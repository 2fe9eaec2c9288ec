import assert from 'node:assert/strict';
import {
  createMemoryMedium,
  createMemoryStore,
  FabricError,
  serviceAddress,
  serviceRuntime,
  silentLogger,
  systemClock,
  type MemoryHub,
  type MemoryMedium,
  type Protostub,
  type RuntimeAddress,
  type ServiceHandler,
  type Store,
} from '@hyperty/runtime';
import { createDispatcher } from '../../../../services/src/domain/dispatcher.ts';
import { fabricHandler } from '../../../../services/src/domain/fabric-road.ts';
import { Reader } from '../../../../services/src/domain/reader.ts';
import { counter, counterContract } from '../../../support/counter-service.ts';
import { createFrailStore } from '../../../support/frail-store.ts';
import { eventually } from '../../../support/eventually.ts';
import { createMemoryDomains, type MemoryDomains } from '../../../support/memory-domain.ts';

const DOMAIN = 'acme.example';
const ADDRESS = serviceRuntime(serviceAddress({ service: 'counter', domain: DOMAIN })) as RuntimeAddress;

describe('the reader of a service', function () {
  this.timeout(30_000);
  let domains: MemoryDomains;
  let hub: MemoryHub;
  const readers: Reader[] = [];
  let medium: MemoryMedium;

  beforeEach(() => {
    medium = createMemoryMedium();
    domains = createMemoryDomains();
    hub = domains.hub;
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.stop();
    await domains.stop();
  });

  const create = (
    handler: ServiceHandler,
    connect: () => Promise<Protostub> = () => Promise.resolve(hub.protostub(ADDRESS)),
    store: Store = createMemoryStore({ clock: systemClock, medium }),
  ): Reader => {
    const reader = new Reader({ service: 'counter', handler, store, connect, logger: silentLogger });
    readers.push(reader);
    return reader;
  };
  const counting = (): ServiceHandler => fabricHandler(createDispatcher(counter().service), DOMAIN);

  it('acknowledges a request once it has been handled: one over which a process died is handled by the next', async () => {
    const handled: string[] = [];
    const dying: ServiceHandler = {
      ask: ({ envelope }) => {
        handled.push(`first ${envelope.id}`);
        return new Promise(() => undefined);
      },
      follow: () => Promise.reject(new Error('nobody follows')),
    };
    let port: Protostub | undefined;
    const store = createFrailStore(medium, { clock: systemClock });
    const first = create(dying, () => Promise.resolve((port = hub.protostub(ADDRESS))), store);
    await first.start();
    const alice = await domains.person('alice');
    const answer = alice.services.at(counterContract).call('add', { by: 4 }, { timeoutMs: 20_000 });
    await eventually(() => handled.length === 1, 'the first one has it');
    store.kill();
    await port?.stop(); // nothing leaves any more: for others the process is dead
    readers.splice(0); // it will never stop
    const second = create(counting());
    await second.start();
    assert.deepEqual(await answer, { sum: 4, who: '@alice:acme.example' });
  });

  it('stands by while another process reads, and reads when that has stopped', async () => {
    const first = create(counting());
    const second = create(counting());
    await first.start();
    await second.start();
    assert.deepEqual([first.state, second.state], ['reading', 'standing-by']);
    await first.stop();
    await eventually(() => second.state === 'reading', 'the second one reads');
  });

  it('tries again when it cannot connect, and says why', async () => {
    let attempts = 0;
    const reader = create(counting(), () => {
      attempts += 1;
      if (attempts > 1) return Promise.resolve(hub.protostub(ADDRESS));
      return Promise.reject(new FabricError('offline', 'The homeserver cannot be reached.'));
    });
    await reader.start();
    assert.equal(reader.failure?.message, 'The homeserver cannot be reached.');
    await eventually(() => reader.state === 'reading', 'it reads');
    assert.equal(reader.failure, undefined);
  });

  it('says at once what no second attempt would mend', async () => {
    const refused = new FabricError('unauthenticated', 'No such registration.');
    await assert.rejects(create(counting(), () => Promise.reject(refused)).start(), refused);
  });

  it('connects anew when its protostub closes by itself', async () => {
    const ports: Protostub[] = [];
    const reader = create(counting(), () => {
      const port = hub.protostub(ADDRESS);
      ports.push(port);
      return Promise.resolve(port);
    });
    await reader.start();
    await ports[0]?.stop();
    await eventually(() => ports.length === 2 && reader.state === 'reading', 'it reads again');
  });
});
