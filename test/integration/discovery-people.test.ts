/** Discovery reads the user directory of a real Synapse, as the application service. */
import assert from 'node:assert/strict';
import { createMemoryStore, systemClock } from '@hyperty/runtime';
import {
  createDiscovery,
  createMatrixReader,
  createMatrixSource,
  type MatrixReader,
} from '@hyperty/services';
import { callerFor } from '../../services/src/domain/caller.ts';
import { createDispatcher } from '../../services/src/domain/dispatcher.ts';
import { eventually } from '../support/eventually.ts';
import { registrationOf } from '../support/service-host.ts';
import { requireSynapse } from '../support/synapse.ts';
import { sharedWorld, type TestCompany } from '../support/world.ts';

const GHOST = '_hyperty_discovery';

describe('discovery over the user directory of Synapse', function () {
  this.timeout(90_000);
  let acme: TestCompany;
  let reader: MatrixReader;
  let token: string;

  before(async function () {
    await requireSynapse(this);
    ({ acme } = await sharedWorld());
    token = (await registrationOf(acme)).as_token;
    await post('/register', { type: 'm.login.application_service', username: GHOST, inhibit_login: true });
    const userId = `@${GHOST}:${acme.serverName}`;
    reader = createMatrixReader({ homeserverUrl: acme.baseUrl, accessToken: token, userId });
  });

  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${acme.baseUrl}/_matrix/client/v3${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  const name = async (localpart: string, displayname: string): Promise<string> => {
    const { accessToken, userId } = await acme.register(localpart);
    const response = await fetch(
      `${acme.baseUrl}/_matrix/client/v3/profile/${encodeURIComponent(userId)}/displayname`,
      {
        method: 'PUT',
        headers: { authorization: `Bearer ${accessToken}` },
        body: JSON.stringify({ displayname }),
      },
    );
    assert.ok(response.ok);
    return userId;
  };

  it('finds people by the names that they have there, and under their new names after the next reading', async () => {
    const zoe = await name('finder_zoe.x', 'Zoë Çelik');
    const ming = await name('finder_ming', '王小明');
    const source = createMatrixSource({ reader, domain: acme.serverName, clock: systemClock, reloadMs: 500 });
    const service = createDiscovery({ store: createMemoryStore(), clock: systemClock, domain: acme.serverName, sources: [source] }); // prettier-ignore
    const caller = callerFor(zoe, acme.serverName);
    const dispatcher = createDispatcher(service);
    const find = async (text: string): Promise<string[]> => {
      const call = { operation: 'search', input: { text }, caller, signal: new AbortController().signal };
      const { results } = (await dispatcher.call(call)) as { results: readonly { id: string }[] };
      return results.map(({ id }) => id);
    };
    await service.start?.();
    try {
      await eventually(async () => (await find('celik')).includes(zoe), 'zoe is found');
      await eventually(async () => (await find('小明')).includes(ming), 'ming is found');
      assert.deepEqual(await find(GHOST), []);
      await name('finder_ming', 'Li Ming');
      await eventually(async () => (await find('li ming')).includes(ming), 'the new name is found');
    } finally {
      await service.stop?.();
    }
  });

  it('reads more people than the directory gives at once, by longer beginnings', async () => {
    const names = Array.from({ length: 12 }, (_, n) => (n % 2 ? `crowd${n}` : `crowd_${n}.x`));
    const crowd: string[] = [];
    for (const localpart of names) crowd.push((await acme.register(localpart)).userId);
    const source = createMatrixSource({ reader, domain: acme.serverName, clock: systemClock, pageSize: 5 });
    const readAll = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { userId } of source.load(new AbortController().signal)) found.push(userId);
      return found;
    };
    await eventually(async () => {
      const found = await readAll();
      return crowd.every((userId) => found.includes(userId));
    }, 'all are read');
  });

  it('is told that a token is wrong', async () => {
    const userId = `@${GHOST}:${acme.serverName}`;
    const stranger = createMatrixReader({ homeserverUrl: acme.baseUrl, accessToken: 'wrong', userId });
    const { signal } = new AbortController();
    await assert.rejects(stranger.searchUsers('a', { limit: 1, signal }), { code: 'unauthenticated' });
  });
});
