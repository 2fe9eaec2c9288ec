import assert from 'node:assert/strict';
import { FabricError } from '@hyperty/runtime';
import * as fc from 'fast-check';
import { isSecretName, maskSecrets, redact } from '../../../../runtime/src/observe/secrets.ts';

describe('masking secrets in texts', () => {
  const cases: readonly (readonly [text: string, masked: string])[] = [
    ['GET /sync?access_token=abc%20d&x=1', 'GET /sync?access_token=[redacted]&x=1'],
    ['Authorization: Bearer abc.def-g', 'Authorization: Bearer [redacted]'],
    ['Authorization: Basic YWxpY2U6cHc=', 'Authorization: Basic [redacted]'],
    ['syt_YWxpY2U_abcDEF_12 and syr_abc', 'syt_[redacted] and syr_[redacted]'],
    ['mct_abc_DEF, mat_1 mcr_2', 'mct_[redacted], mat_[redacted] mcr_[redacted]'],
    ['redis://me:pass@host:1/0', 'redis://me:[redacted]@host:1/0'],
    ['{"access_token":"abc","user":"alice"}', '{"access_token":"[redacted]","user":"alice"}'],
    [String.raw`"{\"refresh_token\":\"abc\"}"`, String.raw`"{\"refresh_token\":\"[redacted]\"}"`],
    ["{ password: 'abc', user: 'alice' }", "{ password: '[redacted]', user: 'alice' }"],
    ['X-Matrix origin="a",sig="abc"', 'X-Matrix origin="a",sig="[redacted]"'],
    ['client_secret=abc;grant=1', 'client_secret=[redacted];grant=1'],
  ];
  for (const [text, masked] of cases) {
    it(`turns ${text} into ${masked}`, () => {
      assert.equal(maskSecrets(text), masked);
    });
  }

  it('leaves ordinary texts as they are', () => {
    const texts = [
      'The Bearer token was not accepted; Basic auth is no better.',
      'hyperty://acme.example/alice/chat does not answer (offline)',
      'http://127.0.0.1:9464/metrics?names=a&b=c',
      'a key was pressed: Enter',
    ];
    for (const text of texts) assert.equal(maskSecrets(text), text);
  });

  it('takes no time for texts that are made to take it', () => {
    const parts = ['a-', 'token ', 'a.b', 'a://', 'a://:', 'x=', '"', 'token":', 'Bearer ', 'syt_'];
    const began = performance.now();
    for (const part of parts) maskSecrets(part.repeat(8000 / part.length));
    assert.ok(performance.now() - began < 500);
  });

  it('shortens what is too long to be read', () => {
    assert.equal(maskSecrets('x'.repeat(100_000)).length, 8001);
  });
});

describe('redacting data', () => {
  it('knows the names of fields that hold secrets, however they are written', () => {
    const secret =
      'accessToken access_token Authorization set-cookie passphrase signingKey api-key keys Password';
    const plain = 'address peer publicKey monkeys2 status kind';
    assert.deepEqual(
      secret.split(' ').filter((name) => !isSecretName(name)),
      [],
    );
    assert.deepEqual(plain.split(' ').filter(isSecretName), []);
  });

  it('keeps a secret out, wherever it is', () => {
    const secret = 'hush-hush-0123';
    const holders: readonly ((value: string) => unknown)[] = [
      (value) => ({ token: value }),
      (value) => ({ deep: [{ er: { accessToken: value } }] }),
      (value) => new Map([['password', value]]),
      (value) => new Headers({ authorization: `Digest ${value}` }),
      (value) => ({ secrets: { one: value } }),
      (value) => ({ keys: [value] }),
      (value) => new URL(`https://acme.example/?access_token=${value}`),
      (value) => new Error(`no Bearer ${value}`),
      (value) => new Error('outer', { cause: new Error('inner', { cause: { password: value } }) }),
      (value) => new AggregateError([new Error(`token=${value}`)], 'all failed'),
      (value) => new FabricError('offline', 'gone', { details: { url: `/x?token=${value}` } }),
      (value) => Object.assign(new Error('refused'), { config: { headers: { Authorization: value } } }),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...holders), fc.array(fc.stringMatching(/^[a-z]{1,5}$/)), (hold, path) => {
        const value = path.reduce<unknown>((inner, name) => ({ [name]: inner }), hold(secret));
        assert.ok(!JSON.stringify(redact(value)).includes(secret));
      }),
    );
  });

  it('tells of an error what it is, what it says, and why', () => {
    const cause = new FabricError('offline', 'nobody there', { details: { attempts: 3 } });
    assert.deepEqual(redact({ error: new FabricError('timeout', 'no answer', { cause }) }), {
      error: {
        name: 'FabricError',
        code: 'timeout',
        message: 'no answer',
        details: {},
        cause: { name: 'FabricError', code: 'offline', message: 'nobody there', details: { attempts: 3 } },
      },
    });
    const { at } = redact(new TypeError('a mistake')) as { at: readonly string[] };
    assert.match(at[0] ?? '', /secrets\.test\.ts/);
  });

  it('makes plain data of anything', () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const hostile = {
      get broken() {
        throw new Error('no');
      },
    };
    const odd = { n: 1n, f: () => 1, s: Symbol('s'), at: new Date(0), bytes: new Uint8Array(3), set: new Set([1]), token: undefined, hasToken: true }; // prettier-ignore
    assert.deepEqual(redact(odd), { n: '1', f: '[function]', s: '[symbol]', at: '1970-01-01T00:00:00.000Z', bytes: '[3 bytes]', set: [1], token: undefined, hasToken: true }); // prettier-ignore
    assert.match(JSON.stringify(redact(circular)), /too deep/);
    assert.equal(redact(hostile), '[unreadable]');
  });

  it('bounds what one line may hold', () => {
    const wide = Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => 'item'));
    assert.ok(JSON.stringify(redact({ wide })).length < 10_000);
  });
});
