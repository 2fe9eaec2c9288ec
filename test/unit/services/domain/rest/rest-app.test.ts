import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import type { RestServer } from '../../../../../services/src/domain/rest/rest-server.ts';
import { authorizationOf, serveRest } from '../../../../support/both-roads.ts';
import { echo } from '../../../../support/echo-service.ts';

const ALICE = { authorization: authorizationOf('alice@acme.example') };
const JSON_TYPE = { 'content-type': 'application/json' };

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

describe('the REST road', () => {
  let server: RestServer;

  beforeEach(async () => (server = await serveRest(echo().service)));
  afterEach(() => server.stop());

  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const { status, headers, ...response } = await fetchOf(path, init);
    return { status, headers, body: JSON.parse(response.text) as Record<string, unknown> };
  };
  const fetchOf = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${server.url}${path}`, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const say = (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = JSON_TYPE) =>
    ask('/echo/v1/say', { method: 'POST', body, headers });
  const refuses = async (path: string, code: string, init: RequestInit = {}): Promise<void> => {
    const { body, status } = await ask(path, init);
    assert.equal(body['code'], code, `${path}: ${JSON.stringify(body)}`);
    assert.ok(status >= 400);
  };

  it('reads encoded and plain slashes of an address alike', async () => {
    const address = 'hyperty://acme.example/alice/chat';
    for (const path of [encodeURIComponent(address), address]) {
      const { status, body } = await ask(`/echo/v1/look/${path}`);
      assert.deepEqual([status, body], [200, { address }]);
    }
  });

  it('makes numbers and truth values of text only where the contract wants them', async () => {
    const { body } = await ask('/echo/v1/look/7?limit=7&deep=false&word=7&words=1,2');
    assert.deepEqual(body, { address: '7', limit: 7, deep: false, word: '7', words: ['1', '2'] });
    const several = await ask('/echo/v1/look/7?words=1,2&words=3');
    assert.deepEqual(several.body['words'], ['1,2', '3']);
    await refuses('/echo/v1/look/7?limit=0x7', 'schema');
    await refuses('/echo/v1/look/7?deep=1', 'schema');
  });

  it('refuses queries that say a thing twice, or what there is not', async () => {
    for (const query of [
      'word=a&word=b',
      'address=b',
      'word[]=a',
      'word[x]=a',
      '__proto__=a',
      'other=1',
      'word=%zz',
    ])
      await refuses(`/echo/v1/look/a?${query}`, 'invalid');
    await refuses(`/echo/v1/look/a?${'word=a&'.repeat(200)}`, 'invalid');
    await refuses('/echo/v1/look/a%zz', 'invalid');
    await refuses('/echo/v1/look/%c0%af', 'invalid');
  });

  it('refuses tokens in URLs, however they are written, and does not repeat them', async () => {
    for (const query of ['access_token=s3cret', 'a=b&access_token=s3cret', '%61ccess_token=s3cret']) {
      const { status, text } = await fetchOf(`/echo/v1/look/a?${query}`, { headers: ALICE });
      assert.equal(status, 400);
      assert.ok(!text.includes('s3cret'), text);
    }
    assert.equal((await fetchOf('/nowhere?access_token=s3cret')).status, 400);
  });

  it('takes JSON objects alone, as UTF-8 and uncompressed', async () => {
    const type = (value: string) => ({ 'content-type': value });
    assert.deepEqual((await say('{"text":"ä"}', type('Application/JSON; charset=utf-8'))).body, {
      text: 'ä',
    });
    for (const body of ['[]', '1', 'null', '{', '"x"', '\ufeff{}x', new Uint8Array([123, 34, 255, 34, 125])])
      assert.equal((await say(body)).body['code'], 'invalid');
    for (const wrong of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonx',
      'application/json; charset=latin1',
    ])
      assert.equal((await say('{"text":"a"}', type(wrong))).body['code'], 'invalid');
    const bomb = gzipSync(Buffer.alloc(10_000_000, 32));
    assert.equal((await say(bomb, { ...JSON_TYPE, 'content-encoding': 'gzip' })).body['code'], 'invalid');
    assert.equal((await ask('/echo/v1/say', { method: 'POST' })).body['code'], 'schema');
  });

  it('lets a body change no prototype', async () => {
    const { status } = await say(
      '{"text":"a","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":1}}}',
    );
    assert.equal(status, 200);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('survives bodies of great depth', async () => {
    const deep = `{"text":"a","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    assert.ok((await say(deep)).status < 600);
    assert.equal((await say('{"text":"still here"}')).status, 200);
  });

  it('refuses bodies that are too long, announced or not', async () => {
    const long = `{"text":"${'x'.repeat(10_000_000)}"}`;
    assert.deepEqual((await say(long)).body['details'], { maxBytes: 262_144 });
    const stream = new Blob([long]).stream();
    const init = { method: 'POST', body: stream, headers: JSON_TYPE, duplex: 'half' } as RequestInit;
    await refuses('/echo/v1/say', 'too-large', init);
    await refuses('/echo/v1/kept/a', 'too-large', {
      method: 'PUT',
      body: Buffer.alloc(100_001),
      headers: ALICE,
    });
  });

  it('reads no body of who may not send one', async () => {
    await refuses('/echo/v1/kept/a', 'unauthenticated', { method: 'PUT', body: Buffer.alloc(50_000_000) });
    const bob = { authorization: authorizationOf('bob@partner.example') };
    await refuses('/echo/v1/kept/a', 'forbidden', { method: 'PUT', body: 'x', headers: bob });
  });

  it('gives bytes with an ETag, and nothing where they are known', async () => {
    await ask('/echo/v1/kept/a', { method: 'PUT', body: 'bytes', headers: ALICE });
    const { headers, text } = await fetchOf('/echo/v1/kept/a');
    const etag = headers.get('etag') ?? '';
    assert.equal(text, 'bytes');
    assert.equal(headers.get('cache-control'), 'public, max-age=60');
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await fetchOf('/echo/v1/kept/a', { headers: { 'if-none-match': known } });
      assert.deepEqual([again.status, again.text, again.headers.get('etag')], [304, '', etag]);
    }
    assert.equal((await fetchOf('/echo/v1/kept/a', { headers: { 'if-none-match': '"x"' } })).status, 200);
  });

  it('says when to come again, and what has gone wrong without saying what is inside', async () => {
    const slow = await ask('/echo/v1/fail?how=slow-down');
    assert.deepEqual([slow.status, slow.headers.get('retry-after')], [429, '2']);
    assert.deepEqual(slow.body, {
      errcode: 'M_LIMIT_EXCEEDED',
      error: 'Slower.',
      code: 'rate-limited',
      details: { retryAfterMs: 1500 },
    });
    const { status, text } = await fetchOf('/echo/v1/fail?how=x');
    assert.equal(status, 500);
    assert.ok(!/secret|at .*\.ts/.test(text), text);
  });

  it('sends the headers that keep browsers safe, and none that name the software', async () => {
    for (const path of ['/echo/v1/look/a', '/nowhere']) {
      const { headers } = await ask(path);
      assert.equal(headers.get('x-powered-by'), null);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
      assert.equal(headers.get('access-control-allow-origin'), null);
    }
  });
});
