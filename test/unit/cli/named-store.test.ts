import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { namedOr, openNamedStore, parseNamedStore, storeText } from '../../../cli/src/named-store.ts';
import { failsWith } from '../../support/hosting.ts';

describe('the store that --store names', () => {
  it('is a file unless it is a URL', () => {
    for (const file of ['bob.db', './a/redis', '/tmp/x.db', 'a:b.db'])
      assert.deepEqual(parseNamedStore(file), { kind: 'file', file: resolve(file) });
  });

  it('is one on a Redis, whose name stands behind the number sign or is given', () => {
    const url = 'redis://bob:secret-word@redis.example:7000/2';
    const named = parseNamedStore(`${url}#@bob:partner.example/counter`);
    assert.deepEqual(named, { kind: 'redis', url, namespace: '@bob:partner.example/counter' });
    assert.deepEqual(namedOr(named, 'other'), named);
    assert.deepEqual(namedOr(parseNamedStore(url), 'other'), { kind: 'redis', url, namespace: 'other' });
  });

  it('is shown without user and password, and otherwise so that it names the same store again', () => {
    const store = parseNamedStore('rediss://bob:secret-word@redis.example:7000/2#@bob:partner.example/a%20b');
    assert.equal(storeText(store), 'rediss://redis.example:7000/2#@bob:partner.example/a b');
    assert.deepEqual(
      namedOr(parseNamedStore('redis://h'), 'x'),
      parseNamedStore(storeText(namedOr(parseNamedStore('redis://h'), 'x'))),
    );
  });

  it('is refused where nothing knows such a URL, whose password is not repeated', () => {
    for (const text of [
      'postgres://bob:secret-word@db.example/x',
      'file:///tmp/x',
      'redis:secret-word',
      'redis://',
    ])
      assert.throws(
        () => parseNamedStore(text),
        (error: unknown) => failsWith('invalid')(error) && !String(error).includes('secret-word'),
        text,
      );
  });

  it('is not opened on a Redis without a name', async () => {
    await assert.rejects(openNamedStore(parseNamedStore('redis://127.0.0.1:1')), failsWith('invalid'));
  });
});
