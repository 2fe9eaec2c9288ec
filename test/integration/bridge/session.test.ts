import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMatrixProtostub, logIn, logOut, type Session } from '@hyperty/bridge';
import { createRuntime, FabricError, silentLogger } from '@hyperty/runtime';
import { eventually } from '../../support/eventually.ts';
import { createHttpProxy } from '../../support/http-proxy.ts';
import { createPeople } from '../../support/matrix-people.ts';
import { hostNotebook, range, sendNotes } from '../../support/notebook.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

/** What a homeserver says whose sessions last for a limited time (Client-Server API, "Soft logout"). */
const EXPIRED = {
  status: 401,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ errcode: 'M_UNKNOWN_TOKEN', error: 'Access token has expired', soft_logout: true }),
};

describe('a Matrix session', function () {
  this.timeout(60_000);
  const people = createPeople();
  let world: TestWorld;
  let websiteUrl: string;
  let closeWebsite = (): void => undefined;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
    const website = createServer((request, response) => {
      if (request.url?.includes('json'))
        response.setHeader('content-type', 'application/json').end('{"hello":1}');
      else response.end('<h1>Hello</h1>');
    });
    await new Promise<void>((resolve) => website.listen(0, '127.0.0.1', resolve));
    closeWebsite = () => void website.close();
    websiteUrl = `http://127.0.0.1:${String((website.address() as AddressInfo).port)}`;
  });

  after(() => closeWebsite());

  afterEach(() => people.stop());

  const assertStartFails = async (session: Session, code: string, text: RegExp): Promise<void> => {
    const protostub = createMatrixProtostub({ session });
    const runtime = createRuntime({ protostubs: [protostub], logger: silentLogger });
    await assert.rejects(runtime.start(), (error) => {
      assert.ok(error instanceof FabricError);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, text);
      assert.ok(!error.message.includes(session.accessToken), 'the token is a secret');
      return true;
    });
    assert.equal(protostub.state, 'closed');
  };

  it('with a wrong token does not start, and says to log in again', async () => {
    const session = await world.acme.register('alice');
    await assertStartFails(
      { ...session, accessToken: 'no-token-of-ours' },
      'unauthenticated',
      /@alice:.*log in again/,
    );
  });

  it('that has been logged out does not start', async () => {
    const session = await world.acme.register('alice');
    await logOut(session);
    await assertStartFails(session, 'unauthenticated', /log in again/);
  });

  it('with the token of another device or account does not start', async () => {
    const [session, other, dora] = await Promise.all([
      world.acme.register('alice'),
      world.acme.register('alice'),
      world.acme.register('dora'),
    ]);
    for (const { accessToken, deviceId, userId } of [other, dora]) {
      const text = new RegExp(
        `belongs to ${userId}, device ${deviceId}, not to ${session.userId}.*log in again`,
      );
      await assertStartFails({ ...session, accessToken }, 'unauthenticated', text);
    }
  });

  it('at what is no Matrix server does not start', async () => {
    const session = await world.acme.register('alice');
    const text = /Matrix homeserver/;
    await assertStartFails({ ...session, baseUrl: websiteUrl }, 'unsupported', text);
    await assertStartFails({ ...session, baseUrl: `${websiteUrl}/json` }, 'unsupported', text);
    await assertStartFails({ ...session, baseUrl: `${world.acme.baseUrl}/elsewhere` }, 'unsupported', text);
  });

  it('at a closed port or an unknown host does not start', async () => {
    const session = await world.acme.register('alice');
    const text = /the homeserver cannot be reached .*Is it running, is the URL right\?/;
    await assertStartFails({ ...session, baseUrl: 'http://127.0.0.1:9' }, 'offline', text);
    await assertStartFails({ ...session, baseUrl: 'http://nowhere.invalid:8008' }, 'offline', text);
  });

  it('cannot be had with a wrong password, at a website, or at a closed port', async () => {
    await world.acme.register('alice');
    const attempt = { user: 'alice', password: 'wrong', deviceName: 'a test' };
    const codes = {
      [world.acme.baseUrl]: 'unauthenticated',
      [websiteUrl]: 'unsupported',
      'http://127.0.0.1:9': 'offline',
    };
    for (const [baseUrl, code] of Object.entries(codes))
      await assert.rejects(logIn({ ...attempt, baseUrl }), { code });
  });

  for (const how of ['expires', 'is logged out'] as const) {
    it(`whose token ${how} is renewed; what is sent meanwhile arrives once and in order`, async () => {
      const proxy = await createHttpProxy(world.acme.baseUrl);
      const bob = await people.start(world.partner, 'bob');
      const his = hostNotebook(bob.runtime);
      const session = { ...(await world.acme.register('alice')), baseUrl: proxy.url };
      let renewals = 0;
      const renew = async (): Promise<Session> => {
        renewals += 1;
        if (renewals === 1) throw new FabricError('offline', 'The password store is away.');
        return world.acme.renew(session);
      };
      const alice = await people.start(world.acme, 'alice', { session, protostub: { renew } });
      const hers = hostNotebook(alice.runtime);
      await alice.runtime.ask(his.address, { type: 'note', n: 0 });
      await bob.runtime.ask(hers.address, { type: 'note', n: 0 });
      if (how === 'is logged out') await logOut(session);
      else
        proxy.interfere(({ headers }) =>
          headers.authorization === `Bearer ${session.accessToken}` ? EXPIRED : undefined,
        );
      sendNotes(alice.runtime, his.address, [1, 100]);
      sendNotes(bob.runtime, hers.address, [1, 100]);
      await Promise.all([his.holds(101), hers.holds(101)]);
      assert.deepEqual(his.notes, range(0, 100));
      assert.deepEqual(hers.notes, range(0, 100));
      assert.ok(renewals >= 2);
      await people.stop();
      await proxy.close();
    });
  }

  it('whose token has expired before the start is renewed', async () => {
    const session = await world.acme.register('alice');
    await logOut(session);
    const renewed = await world.acme.renew(session);
    const alice = await people.start(world.acme, 'alice', {
      session,
      protostub: { renew: () => Promise.resolve(renewed) },
    });
    assert.equal(alice.protostub.state, 'live');
  });

  it('that is logged out while it is used closes, and says so', async () => {
    const session = await world.acme.register('alice');
    const { protostub, log } = await people.start(world.acme, 'alice', { session });
    await logOut(session);
    await eventually(() => protostub.state === 'closed', 'the protostub closes');
    const line = log.find(({ level }) => level === 'error');
    assert.match(line?.message ?? '', /protostub "matrix" closed/);
    assert.equal((line?.fields['error'] as FabricError).code, 'unauthenticated');
  });

  it('that is renewed as another device closes', async () => {
    const session = await world.acme.register('alice');
    const renew = (): Promise<Session> => world.acme.register('alice');
    const { protostub } = await people.start(world.acme, 'alice', { session, protostub: { renew } });
    await logOut(session);
    await eventually(() => protostub.state === 'closed', 'the protostub closes');
  });
});
