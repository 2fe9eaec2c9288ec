import assert from 'node:assert/strict';
import { FabricError } from '@hyperty/runtime';
import { createManualClock } from '@hyperty/runtime/testing';
import { createAuthentication, type Authentication, type AuthenticationOptions } from '../../../../../services/src/domain/authentication/authentication.ts'; // prettier-ignore
import type { Caller } from '../../../../../services/src/domain/caller.ts';
import { startFederationServer, type FederationServer } from '../../../../support/federation-server.ts';
import { failsWith } from '../../../../support/hosting.ts';
import { createScriptedHomeserver } from '../../../../support/scripted-homeserver.ts';

const USERINFO = '/_matrix/federation/v1/openid/userinfo';
const base = { homeserverUrl: 'https://matrix.acme.example', domain: 'acme.example' };

/** Proves at once, or by asking. */
const prove = async ({ authenticate }: Authentication, header: string): Promise<Caller | undefined> => {
  const proven = authenticate(header);
  return typeof proven === 'function' ? proven() : proven;
};

describe('authentication by access tokens', () => {
  const start = () => {
    const homeserver = createScriptedHomeserver();
    const clock = createManualClock();
    const authentication = createAuthentication({ ...base, clock, fetch: homeserver.fetch });
    return { homeserver, clock, authentication };
  };

  it('asks the homeserver once a minute, and once for all who wait', async () => {
    const { homeserver, clock, authentication } = start();
    const callers = await Promise.all([1, 2, 3].map(() => prove(authentication, 'Bearer syt_alice')));
    assert.deepEqual(callers[2], {
      userId: '@alice:acme.example',
      owner: 'acme.example/alice',
      domain: 'acme.example',
      isLocal: true,
      road: 'rest',
    });
    assert.equal(homeserver.requests.length, 1);
    assert.equal(homeserver.requests[0]?.token, 'syt_alice');
    assert.equal(typeof authentication.authenticate('Bearer syt_alice'), 'object', 'known without asking');
    await clock.advance(60_000);
    await prove(authentication, 'bearer syt_alice');
    assert.equal(homeserver.requests.length, 2);
  });

  it('remembers refusals for a moment, and nothing of a homeserver that fails', async () => {
    const { homeserver, clock, authentication } = start();
    homeserver.answers['whoami'] = { status: 401, json: { errcode: 'M_UNKNOWN_TOKEN' } };
    await assert.rejects(prove(authentication, 'Bearer wrong'), failsWith('unauthenticated'));
    await assert.rejects(prove(authentication, 'Bearer wrong'), failsWith('unauthenticated'));
    assert.equal(homeserver.requests.length, 1);
    await clock.advance(5000);
    homeserver.answers['whoami'] = new Error('down');
    await assert.rejects(prove(authentication, 'Bearer wrong'), failsWith('offline'));
    homeserver.answers['whoami'] = { status: 500, text: '<html>' };
    await assert.rejects(prove(authentication, 'Bearer wrong'), failsWith('offline'));
    homeserver.answers['whoami'] = { status: 429, json: { retry_after_ms: 70 } };
    await assert.rejects(prove(authentication, 'Bearer wrong'), failsWith('rate-limited'));
    assert.equal(homeserver.requests.length, 4);
  });

  it('takes nobody of another domain', async () => {
    const { homeserver, authentication } = start();
    for (const user_id of ['@bob:partner.example', '@bob:evil-acme.example', 7, undefined]) {
      homeserver.answers['whoami'] = { json: { user_id } };
      await assert.rejects(prove(authentication, 'Bearer x'), failsWith('offline'));
    }
  });

  it('remembers a bounded number of tokens', async () => {
    const { authentication } = start();
    for (let n = 0; n < 10_050; n += 1) await prove(authentication, `Bearer t${n}`);
    assert.equal(authentication.size, 10_000);
  });

  it('refuses headers that are none of the two kinds', () => {
    const { authentication } = start();
    for (const header of [
      '',
      'Bearer',
      'Bearer a b',
      'Bearer a, Bearer b',
      'Basic YTpi',
      `Bearer ${'x'.repeat(5000)}`,
      'MatrixOpenID',
      'MatrixOpenID server="partner.example"',
      'MatrixOpenID server="partner.example", token="a", token="b"',
      'MatrixOpenID server="acme.example", token="a"',
    ])
      assert.throws(() => authentication.authenticate(header), failsWith('unauthenticated'), header);
    assert.equal(authentication.authenticate(undefined), undefined);
  });
});

describe('authentication by OpenID tokens of partners', () => {
  let partner: FederationServer;

  beforeEach(async () => (partner = await startFederationServer()));
  afterEach(() => partner.stop());

  const start = (rest: Partial<AuthenticationOptions> = {}): Authentication =>
    createAuthentication({ ...base, extraCa: partner.ca, allowedRanges: ['127.0.0.0/8'], ...rest });
  const header = (token = 'secret', host = 'localhost'): string =>
    `MatrixOpenID server="${host}:${partner.port}", token="${token}"`;

  it('asks the server that has issued the token, over TLS', async () => {
    const authentication = start();
    partner.answers.set(USERINFO, { sub: `@bob:localhost:${partner.port}` });
    const caller = await prove(authentication, header());
    assert.deepEqual([caller?.userId, caller?.isLocal], [`@bob:localhost:${partner.port}`, false]);
    await prove(authentication, header());
    assert.deepEqual(partner.asked, [`localhost:${partner.port} ${USERINFO}?access_token=secret`]);
  });

  it('asks a server that is named by its address, whose certificate is for that', async () => {
    partner.answers.set(USERINFO, { sub: `@bob:127.0.0.1:${partner.port}` });
    assert.equal((await prove(start(), header('t', '127.0.0.1')))?.userId, `@bob:127.0.0.1:${partner.port}`);
  });

  it('believes a server about its own accounts alone', async () => {
    const authentication = start();
    const { port } = partner;
    const subjects = [
      '@alice:acme.example',
      '@bob:localhost',
      `@bob:x:localhost:${port}`,
      `bob:localhost:${port}`,
      '@:',
      7,
    ];
    for (const [index, sub] of subjects.entries()) {
      partner.answers.set(USERINFO, { sub });
      await assert.rejects(
        prove(authentication, header(`t${index}`)),
        failsWith('unauthenticated'),
        String(sub),
      );
    }
  });

  it('trusts no certificate that nobody vouches for, or that is for another name', async () => {
    const other = await startFederationServer(['other.example'], []);
    const [stranger, misnamed] = [start({ extraCa: other.ca }), start({ extraCa: other.ca })];
    await assert.rejects(prove(stranger, header()), failsWith('offline'));
    const wrong = `MatrixOpenID server="localhost:${other.port}", token="t"`;
    await assert.rejects(prove(misnamed, wrong), failsWith('offline'));
    assert.deepEqual([partner.asked, other.asked], [[], []]);
    await other.stop();
  });

  it('does not ask this machine unless it is allowed to', async () => {
    for (const host of ['localhost', '127.0.0.1'])
      await assert.rejects(prove(start({ allowedRanges: [] }), header('t', host)), failsWith('forbidden'));
    assert.deepEqual(partner.asked, []);
  });

  it('follows no redirect and reads no endless answer; the token is in no error', async () => {
    const authentication = start();
    partner.answers.set(USERINFO, (response) =>
      response.writeHead(302, { location: 'https://localhost/' }).end(),
    );
    await assert.rejects(prove(authentication, header('secret1')), failsWith('offline', /status 302/));
    partner.answers.set(USERINFO, (response) => response.end('x'.repeat(1_000_000)));
    const error = await prove(authentication, header('secret2')).catch((caught: unknown) => caught);
    assert.ok(error instanceof FabricError && error.code === 'offline');
    assert.ok(!JSON.stringify([error, String(error.cause), error.stack]).includes('secret2'));
  });

  it('hears of tokens that have expired', async () => {
    partner.answers.set(USERINFO, (response) => response.writeHead(401).end('{}'));
    await assert.rejects(prove(start(), header()), failsWith('unauthenticated'));
  });
});
