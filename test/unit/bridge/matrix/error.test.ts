import assert from 'node:assert/strict';
import { createMatrixProtostub } from '@hyperty/bridge';
import { FabricError, type Protostub, type RuntimeAddress } from '@hyperty/runtime';
import {
  createScriptedHomeserver,
  syncAnswer,
  type ScriptedAnswer,
} from '../../../support/scripted-homeserver.ts';

const session = {
  baseUrl: 'https://matrix.acme.example',
  userId: '@alice:acme.example',
  deviceId: 'LAPTOP',
  accessToken: 'a secret',
};
const bob = 'runtime://partner.example/bob/PHONE' as RuntimeAddress;

describe('what a homeserver refuses', () => {
  const homeserver = createScriptedHomeserver();
  let stub: Protostub;

  before(async () => {
    homeserver.polls.push(syncAnswer('s1'));
    stub = createMatrixProtostub({ session, fetch: homeserver.fetch, renew: () => Promise.resolve(session) });
    await stub.start();
  });

  after(() => stub.stop());

  const errorOf = async (answer: ScriptedAnswer | Error): Promise<FabricError> => {
    homeserver.answers['sendToDevice'] = answer;
    const error: unknown = await stub.send({ kind: 'hello' }, bob).catch((caught: unknown) => caught);
    assert.ok(error instanceof FabricError, String(error));
    assert.ok(error.message.startsWith(`Sending to ${bob}: `), error.message);
    assert.ok(!error.message.includes(session.accessToken));
    assert.ok(error.cause !== undefined);
    return error;
  };
  const matrix = (status: number, errcode: string, more = {}): ScriptedAnswer => ({
    status,
    json: { errcode, error: 'Not today', ...more },
  });

  for (const [answer, code, text] of [
    [matrix(401, 'M_UNKNOWN_TOKEN'), 'unauthenticated', /Not today \(M_UNKNOWN_TOKEN\).*log in again/],
    [matrix(403, 'M_FORBIDDEN'), 'forbidden', /ask its administrator/],
    [matrix(413, 'M_TOO_LARGE'), 'too-large', /max_upload_size/],
    [matrix(404, 'M_NOT_FOUND'), 'not-found', /M_NOT_FOUND/],
    [matrix(404, 'M_UNRECOGNIZED'), 'unsupported', /M_UNRECOGNIZED/],
    [matrix(400, 'M_BAD_JSON'), 'invalid', /M_BAD_JSON/],
    [matrix(500, 'M_UNKNOWN'), 'offline', /M_UNKNOWN/],
    [matrix(400, 'ORG_EXAMPLE_ODD'), 'invalid', /ORG_EXAMPLE_ODD/],
    [matrix(418, 'ORG_EXAMPLE_ODD'), 'invalid', /ORG_EXAMPLE_ODD/],
    [matrix(429, 'M_LIMIT_EXCEEDED'), 'rate-limited', /M_LIMIT_EXCEEDED/],
    [{ status: 404, text: '<h1>Not found</h1>' }, 'unsupported', /this is no Matrix homeserver \(HTTP 404\)/],
    [{ status: 405, text: '' }, 'unsupported', /this is no Matrix homeserver/],
    [
      { status: 502, text: '<h1>Bad gateway</h1>' },
      'offline',
      /HTTP 502 without a Matrix error; a proxy in between/,
    ],
    [{ status: 413, text: 'Too large' }, 'too-large', /HTTP 413/],
    [{ status: 403, text: 'No' }, 'forbidden', /HTTP 403/],
    [{ status: 429, text: 'Slow' }, 'rate-limited', /HTTP 429/],
    [{ text: '<h1>Welcome to the hotel</h1>' }, 'unsupported', /not what a Matrix homeserver says/],
    [
      Object.assign(new TypeError('fetch failed'), { cause: new Error('ECONNREFUSED') }),
      'offline',
      /cannot be reached \(fetch failed: ECONNREFUSED\)/,
    ],
    [new DOMException('The operation timed out', 'TimeoutError'), 'offline', /cannot be reached/],
  ] as const) {
    const what = answer instanceof Error ? answer.message : JSON.stringify(answer);
    it(`is "${code}" when it says ${what}`, async () => {
      const error = await errorOf(answer);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, text);
    });
  }

  it('tells how long to wait, from the body or the header, or a second when it cannot be read', async () => {
    const wait = async (answer: ScriptedAnswer): Promise<unknown> =>
      (await errorOf(answer)).details['retryAfterMs'];
    assert.equal(await wait(matrix(429, 'M_LIMIT_EXCEEDED', { retry_after_ms: 1234 })), 1234);
    assert.equal(await wait({ ...matrix(429, 'M_LIMIT_EXCEEDED'), headers: { 'retry-after': '3' } }), 3000);
    assert.equal(
      await wait({ ...matrix(429, 'M_LIMIT_EXCEEDED'), headers: { 'retry-after': 'soon' } }),
      1000,
    );
    assert.equal(await wait(matrix(429, 'M_LIMIT_EXCEEDED')), 1000);
    for (const odd of ['soon', -5, null, {}, 1e300])
      assert.ok(
        Number.isFinite(await wait(matrix(429, 'M_LIMIT_EXCEEDED', { retry_after_ms: odd }))),
        JSON.stringify(odd),
      );
  });
});

describe('why a peer is silent', () => {
  const homeserver = createScriptedHomeserver();
  const stub = createMatrixProtostub({ session, fetch: homeserver.fetch });
  const reason = async (answer: ScriptedAnswer | Error): Promise<string | undefined> => {
    homeserver.answers['%40bob%3Apartner.example'] = answer;
    return (await stub.diagnose?.(bob))?.code;
  };

  it('is told by the profile of its account, when that can tell it', async () => {
    const failure = (status: number, errcode: string): ScriptedAnswer => ({
      status,
      json: { errcode, error: 'No' },
    });
    assert.equal(await reason({ json: { displayname: 'Bob' } }), undefined);
    assert.equal(await reason(failure(404, 'M_NOT_FOUND')), 'not-found');
    assert.equal(await reason(failure(502, 'M_UNKNOWN')), 'no-route');
    assert.equal(await reason(failure(504, 'M_UNKNOWN')), 'no-route');
    assert.equal(await reason(failure(403, 'M_FORBIDDEN')), undefined);
    assert.equal(await reason(failure(429, 'M_LIMIT_EXCEEDED')), undefined);
    assert.equal(await reason(new TypeError('fetch failed')), undefined);
  });
});
