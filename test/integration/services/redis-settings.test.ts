/** What the store on Redis asks of a Redis, and how it refuses one. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { silentLogger, type LogFields } from '@hyperty/runtime';
import { eventually } from '../../support/eventually.ts';
import { errorOf, put, suiteOnRedis } from '../../support/redis-stores.ts';
import { refusedAs } from '../../support/refused.ts';

const NEVER_THERE = 'redis://alice:pa55word@127.0.0.1:1';

describe('the settings of a Redis for a store', function () {
  this.timeout(60_000);
  const suite = suiteOnRedis();

  it('refuses with storage when Redis is full, loses nothing, and goes on when there is room', async () => {
    const store = await suite.stores.open();
    await store.commit([put('k', 'before')]);
    await suite.redis.command('CONFIG SET maxmemory 1mb');
    try {
      const error = await errorOf(store.commit([put('k', 'x'.repeat(100_000))]));
      assert.deepEqual([error.code, error.details['reply']], ['storage', 'OOM']);
      assert.equal(await store.get('k'), 'before');
    } finally {
      await suite.redis.command('CONFIG SET maxmemory 0');
    }
    await store.commit([put('k', 'after')]);
  });

  it('does not open a Redis that would throw data away', async () => {
    await suite.redis.command('CONFIG SET maxmemory 1gb');
    await suite.redis.command('CONFIG SET maxmemory-policy allkeys-lru');
    try {
      await assert.rejects(suite.stores.open(), refusedAs('storage', 'noeviction'));
    } finally {
      await suite.redis.command('CONFIG SET maxmemory-policy noeviction');
      await suite.redis.command('CONFIG SET maxmemory 0');
    }
  });

  it('says what a commit survives, and warns when it is not everything', async () => {
    const warnings: LogFields[] = [];
    const logger = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) };
    assert.equal((await suite.stores.open({ logger })).durability, 'strict');
    assert.equal(warnings.length, 0);
    try {
      await suite.redis.command('CONFIG SET appendfsync everysec');
      assert.equal((await suite.stores.open({ logger })).durability, 'relaxed');
      await suite.redis.command('CONFIG SET appendfsync no');
      assert.equal((await suite.stores.open({ logger })).durability, 'memory');
      assert.equal(warnings.length, 2);
    } finally {
      await suite.redis.command('CONFIG SET appendfsync always');
    }
  });

  it('refuses a wrong password at once, and shows it nowhere', async () => {
    await suite.redis.command('ACL SETUSER alice on >right ~* &* +@all');
    const url = `redis://alice:pa55word@127.0.0.1:${suite.redis.port}`;
    const error = await errorOf(suite.stores.open({ url }));
    assert.equal(error.code, 'unauthenticated');
    assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes('pa55word'));
    const store = await suite.stores.open({ url: url.replace('pa55word', 'right') });
    assert.ok(!inspect(store, { depth: 9, showHidden: true }).includes('right'));
    assert.equal(
      store.name,
      `the store "${suite.stores.namespace}" on redis://127.0.0.1:${suite.redis.port}`,
    );
  });

  it('works for a user with the rights that the README names, and without CONFIG', async () => {
    await suite.redis.command(
      `ACL SETUSER bob on >pw resetkeys resetchannels ~{${suite.stores.namespace}}:* &{${suite.stores.namespace}}:changes +@read +@write +@scripting +@pubsub +@connection +time`,
    );
    const store = await suite.stores.open({ url: `redis://bob:pw@127.0.0.1:${suite.redis.port}` });
    assert.equal(store.durability, 'memory');
    let heard = 0;
    store.watch('', () => (heard += 1));
    const lease = await store.acquire('lease', { holder: 'alpha', ttlMs: 1000 });
    await store.commit([put('k', 'v')], lease ? [lease] : []);
    assert.deepEqual(await store.range({}), [put('k', 'v')]);
    await eventually(() => heard > 0, 'a notice');
  });

  it('gives up opening a Redis that is not there, and shows no password', async () => {
    const error = await errorOf(suite.stores.open({ url: NEVER_THERE, timeoutMs: 200 }));
    assert.equal(error.code, 'storage');
    assert.match(
      error.message,
      /^Redis at redis:\/\/127\.0\.0\.1:1 gave no answer for 200 ms \(ECONNREFUSED\)/,
    );
    assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes('pa55word'));
  });

  it('names no password of a URL that is malformed', async () => {
    for (const url of [
      'http://a:pa55word@host',
      'redis://a:pa55word@',
      'redis://a:pa55word@host:port',
      'redis://a:pa55word%@host',
      'redis://a:pa55word@host/db',
    ])
      await assert.rejects(suite.stores.open({ url }), (error) => {
        assert.ok(error instanceof TypeError);
        return !inspect(error, { depth: 9, showHidden: true }).includes('pa55word');
      });
  });
});
