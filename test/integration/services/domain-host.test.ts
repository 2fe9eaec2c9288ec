import assert from 'node:assert/strict';
import { createMemoryMedium, createMemoryStore, systemClock, type MemoryMedium } from '@hyperty/runtime';
import { ApplicationService } from '../../../services/src/domain/application-service.ts';
import type { HostedService } from '../../../services/src/domain/domain-host.ts';
import { counter, counterContract } from '../../support/counter-service.ts';
import { eventually } from '../../support/eventually.ts';
import { failsWith } from '../../support/hosting.ts';
import { createPeople, type People } from '../../support/matrix-people.ts';
import { startHost, registrationOf, type TestHost } from '../../support/service-host.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

const ADDRESS = (domain: string): string => `domain://counter.${domain}`;

describe('the services of a domain on its homeserver', function () {
  this.timeout(60_000);
  let world: TestWorld;
  let people: People;
  let medium: MemoryMedium;
  const hosts: TestHost[] = [];

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  beforeEach(() => {
    people = createPeople();
    medium = createMemoryMedium();
  });

  afterEach(async () => {
    await people.stop();
    for (const host of hosts.splice(0)) await host.stop();
  });

  const counting = (service = counter().service): HostedService => ({
    name: 'counter',
    displayName: 'Counter of acme',
    store: createMemoryStore({ clock: systemClock, medium }),
    create: () => service,
  });
  const start = async (service = counting(), options = {}): Promise<TestHost> => {
    const host = await startHost(world.acme, [service], options);
    hosts.push(host);
    return host;
  };

  it('are called by people of their own company and of others, through Matrix alone', async () => {
    await start();
    const alice = await people.start(world.acme, 'alice');
    const bob = await people.start(world.partner, 'bob');
    const { serverName } = world.acme;
    const first = await alice.runtime.services.at(counterContract).call('add', { by: 2 });
    assert.deepEqual(first, { sum: 2, who: `@alice:${serverName}` });
    const second = await bob.runtime.services.at(counterContract, serverName).call('add', { by: 3 });
    assert.deepEqual(second, { sum: 5, who: `@bob:${world.partner.serverName}` });
    await assert.rejects(bob.runtime.ask(ADDRESS(serverName), { type: 'reset' }), failsWith('forbidden'));
  });

  it('get everything that was sent to them while they were down', async () => {
    const { service } = counter();
    const first = await start(counting(service));
    const alice = await people.start(world.acme, 'alice');
    const bob = await people.start(world.partner, 'bob');
    const peers = [alice, bob].map(({ runtime }) =>
      runtime.services.at(counterContract, world.acme.serverName),
    );
    for (const peer of peers) await peer.call('add', { by: 1 });
    await first.stop();
    const waiting = peers.flatMap((peer) =>
      Array.from({ length: 50 }, () => peer.call('add', { by: 1 }, { timeoutMs: 50_000 })),
    );
    await eventually(() => alice.runtime.inspect().pendingRequests === 50, 'all have been sent');
    await start(counting(service));
    const sums = (await Promise.all(waiting)).map(({ sum }) => sum);
    assert.equal(Math.max(...sums), 102);
    assert.equal(new Set(sums).size, 100);
  });

  it('come back when somebody has deleted the device of their account', async () => {
    const { registration } = await start();
    const alice = await people.start(world.acme, 'alice');
    const peer = alice.runtime.services.at(counterContract);
    await peer.call('add', { by: 1 });
    const userId = `@_hyperty_counter:${world.acme.serverName}`;
    const url = `${world.acme.baseUrl}/_matrix/client/v3/devices/hyperty?user_id=${encodeURIComponent(userId)}`;
    const headers = { authorization: `Bearer ${registration.as_token}` };
    const deleted = await fetch(url, { method: 'DELETE', headers, body: '{}' });
    assert.equal(deleted.status, 200);
    const answer = await peer.call('add', { by: 1 }, { timeoutMs: 30_000 });
    assert.equal(answer.sum, 2);
  });

  it('are read by one process at a time, and by another one when that ends', async () => {
    const { service } = counter();
    const first = await start(counting(service));
    const second = await start(counting(service), { listens: false });
    assert.deepEqual(
      [first, second].map(({ host }) => host.status()[0]?.state),
      ['reading', 'standing-by'],
    );
    const alice = await people.start(world.acme, 'alice');
    const peer = alice.runtime.services.at(counterContract);
    await peer.call('add', { by: 1 });
    await first.stop();
    await eventually(() => second.host.status()[0]?.state === 'reading', 'the second one reads');
    assert.equal((await peer.call('add', { by: 1 }, { timeoutMs: 30_000 })).sum, 2);
  });

  it('are pushed to by their homeserver alone', async () => {
    const { registration, host } = await start();
    assert.equal(host.pushFailure, undefined);
    const url = `http://127.0.0.1:${world.acme.servicesPort}/_matrix/app/v1/transactions/forged`;
    const put = async (headers: Record<string, string>, query = ''): Promise<number> => {
      const body = JSON.stringify({ events: [] });
      const response = await fetch(url + query, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
      return response.status;
    };
    assert.equal(await put({}), 401);
    assert.equal(await put({}, `?access_token=${registration.hs_token}`), 401);
    assert.equal(await put({ authorization: 'Bearer wrong' }), 403);
    assert.equal(await put({ authorization: `Bearer ${registration.as_token}` }), 403);
    assert.equal(await put({ authorization: `Bearer ${registration.hs_token}` }), 200);
  });

  it('decline invitations to rooms, and tell which of their users there are', async () => {
    await start();
    const alice = await world.acme.register('alice');
    const headers = { authorization: `Bearer ${alice.accessToken}`, 'content-type': 'application/json' };
    const ask = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      return (await (await fetch(`${world.acme.baseUrl}${path}`, init)).json()) as Record<string, unknown>;
    };
    const ghost = `@_hyperty_counter:${world.acme.serverName}`;
    const profile = await ask('GET', `/_matrix/client/v3/profile/${encodeURIComponent(ghost)}`);
    assert.equal(profile['displayname'], 'Counter of acme');
    const { room_id: room } = await ask('POST', '/_matrix/client/v3/createRoom', { invite: [ghost] });
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(String(room))}/state/m.room.member/${encodeURIComponent(ghost)}`;
    await eventually(async () => (await ask('GET', path))['membership'] === 'leave', 'it leaves');
  });

  it('say what is wrong when the homeserver has another registration', async () => {
    const registration = await registrationOf(world.acme);
    const homeserverUrl = world.acme.baseUrl;
    assert.equal(await ApplicationService.domainOf({ registration, homeserverUrl }), world.acme.serverName);
    const other = { ...registration, as_token: 'another-token-altogether' };
    await assert.rejects(
      ApplicationService.domainOf({ registration: other, homeserverUrl }),
      (error: Error) =>
        failsWith('unauthenticated')(error) && error.message.includes('app_service_config_files'),
    );
  });
});
