import assert from 'node:assert/strict';
import { createMatrixProtostub, type Session } from '@hyperty/bridge';
import { FabricError, type Protostub, type RuntimeAddress } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import {
  createScriptedHomeserver,
  settled,
  syncAnswer,
  type ScriptedAnswer,
  type ScriptedHomeserver,
} from '../../../support/scripted-homeserver.ts';

const session: Session = {
  baseUrl: 'https://matrix.acme.example',
  userId: '@alice:acme.example',
  deviceId: 'LAPTOP',
  accessToken: 'first',
};
const renewed: Session = { ...session, accessToken: 'second' };
const bob = 'runtime://partner.example/bob/PHONE' as RuntimeAddress;

const expired: ScriptedAnswer = {
  status: 401,
  json: { errcode: 'M_UNKNOWN_TOKEN', error: 'Access token has expired', soft_logout: true },
};
const refusals: readonly (readonly [string, ScriptedAnswer])[] = [
  ['a soft log-out', expired],
  ['a log-out', { status: 401, json: { errcode: 'M_UNKNOWN_TOKEN', error: 'Unknown token' } }],
  ['a missing token', { status: 401, json: { errcode: 'M_MISSING_TOKEN', error: 'Missing token' } }],
  ['a deactivated account', { status: 403, json: { errcode: 'M_USER_DEACTIVATED', error: 'Gone' } }],
  ['a proxy that wants a password', { status: 401, text: '<h1>Unauthorized</h1>' }],
];

describe('the session of a Matrix protostub', () => {
  let homeserver: ScriptedHomeserver;
  let clock: ManualClock;
  let stub: Protostub;
  let states: string[];

  beforeEach(() => {
    homeserver = createScriptedHomeserver();
    homeserver.polls.push(syncAnswer('s1'));
    clock = createManualClock();
  });

  afterEach(() => stub.stop());

  const create = (renew?: () => Promise<Session>): Protostub => {
    stub = createMatrixProtostub({ session, clock, fetch: homeserver.fetch, ...(renew ? { renew } : {}) });
    states = [];
    stub.onState((state, error) => states.push(error ? `${state}: ${error.code}` : state));
    return stub;
  };
  const lastToken = (): string | undefined => homeserver.requests.at(-1)?.token;

  for (const [what, answer] of refusals) {
    it(`closes after ${what} when nobody renews it`, async () => {
      homeserver.polls.push(answer);
      await create().start();
      await homeserver.hasBeenPolled(2);
      await settled();
      assert.deepEqual(states, [
        'connecting',
        'live',
        'backing-off: unauthenticated',
        'closed: unauthenticated',
      ]);
      assert.equal(clock.pending, 0);
    });

    it(`goes on with a new token and from the same position after ${what}`, async () => {
      homeserver.polls.push(answer, syncAnswer('s2'));
      await create(() => Promise.resolve(renewed)).start();
      await homeserver.hasBeenPolled(4);
      assert.equal(stub.state, 'live');
      assert.equal(homeserver.polled()[2]?.query.get('since'), 's1');
      assert.equal(lastToken(), 'second');
    });
  }

  it('is renewed when a send is refused', async () => {
    homeserver.answers['sendToDevice'] = expired;
    await create(() => Promise.resolve(renewed)).start();
    await assert.rejects(stub.send({ kind: 'hello' }, bob), { code: 'unauthenticated' });
    delete homeserver.answers['sendToDevice'];
    homeserver.polls.push(syncAnswer('s2'));
    await homeserver.hasBeenPolled(3);
    await stub.send({ kind: 'hello' }, bob);
    assert.equal(lastToken(), 'second');
  });

  it('is renewed before the start when its token has expired since it was stored', async () => {
    const whoami = homeserver.answers['whoami'] ?? {};
    homeserver.answers['whoami'] = expired;
    await create(() => {
      homeserver.answers['whoami'] = whoami;
      return Promise.resolve(renewed);
    }).start();
    assert.equal(stub.state, 'live');
    assert.equal(lastToken(), 'second');
  });

  it('is asked for again while its renewal fails for a reason that passes', async () => {
    homeserver.polls.push(expired, syncAnswer('s2'));
    let attempts = 0;
    await create(() => {
      attempts += 1;
      return attempts < 4 ? Promise.reject(new FabricError('offline', 'No way.')) : Promise.resolve(renewed);
    }).start();
    await homeserver.hasBeenPolled(2);
    for (const [index, ms] of [1000, 2000, 4000].entries()) {
      await settled();
      assert.equal(attempts, index + 1);
      await clock.advance(ms);
    }
    await homeserver.hasBeenPolled(3);
    assert.equal(attempts, 4);
  });

  for (const [what, renew, code] of [
    [
      'with an error that does not pass',
      () => Promise.reject(new FabricError('forbidden', 'No.')),
      'forbidden',
    ],
    ['with an error of another kind', () => Promise.reject(new Error('a mistake')), 'internal'],
    ['as another device', () => Promise.resolve({ ...renewed, deviceId: 'PHONE' }), 'unauthenticated'],
  ] as const) {
    it(`closes when it is renewed ${what}`, async () => {
      homeserver.polls.push(expired);
      await create(renew).start();
      await homeserver.hasBeenPolled(2);
      await settled();
      assert.equal(states.at(-1), `closed: ${code}`);
    });
  }

  it('is not renewed any more once the stub has stopped', async () => {
    homeserver.polls.push(expired);
    await create(() => Promise.reject(new FabricError('offline', 'No way.'))).start();
    await homeserver.hasBeenPolled(2);
    await settled();
    await stub.stop();
    await settled();
    assert.equal(states.at(-1), 'closed');
    assert.equal(clock.pending, 0);
  });

  it('starts nothing when the stub is stopped during its start', async () => {
    const starting = create().start();
    const stopping = stub.stop();
    await assert.rejects(starting, { code: 'closed' });
    await stopping;
    await settled();
    assert.equal(homeserver.polled().length, 0);
    assert.equal(clock.pending, 0);
  });

  it('starts again after a stop', async () => {
    await create().start();
    await stub.stop();
    homeserver.polls.push(syncAnswer('s2'));
    await stub.start();
    assert.equal(stub.state, 'live');
  });

  it('gives up its start after a minute without an answer to a poll', async () => {
    homeserver.polls.length = 0;
    const starting = create().start();
    await homeserver.hasBeenPolled(1);
    await Promise.all([
      assert.rejects(starting, { code: 'offline', message: /did not answer a \/sync in 60 s/ }),
      clock.advance(60_000),
    ]);
    assert.equal(stub.state, 'closed');
  });
});
