/** What the store on Redis does when Redis or the way to it is gone for a while. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { under } from '@hyperty/runtime';
import { eventually } from '../../support/eventually.ts';
import { errorOf, put, suiteOnRedis } from '../../support/redis-stores.ts';
import { refusedAs } from '../../support/refused.ts';

describe('the store on Redis while Redis is gone', function () {
  this.timeout(60_000);
  const suite = suiteOnRedis();

  it('carries out every commit once and in order when Redis is killed and started again under load', async () => {
    const store = await suite.stores.open();
    const values: Promise<void>[] = [];
    const seen: number[] = [];
    const reader = await suite.stores.open();
    reader.watch('last', () => void reader.get('last').then((value) => seen.push(Number(value))));
    const crash = sleep(100).then(() => suite.redis.kill());
    const restarted = crash.then(() => sleep(200)).then(() => suite.redis.start());
    for (let n = 1; n <= 3000; n += 1) {
      values.push(store.commit([put('last', String(n)), put(`n/${String(n).padStart(5, '0')}`, String(n))]));
      if (n % 10 === 0) await sleep(1);
    }
    await restarted;
    const outcomes = await Promise.allSettled(values);
    assert.deepEqual(
      outcomes.filter(({ status }) => status === 'rejected'),
      [],
    );
    assert.equal(await store.get('last'), '3000');
    assert.equal((await store.range(under('n/'))).length, 3000);
    await eventually(() => seen.includes(3000), 'the last value seen by a watcher');
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
  });

  it('keeps the tokens of leases when Redis is killed', async () => {
    const store = await suite.stores.open();
    const first = await store.acquire('lease', { holder: 'alpha', ttlMs: 60_000 });
    assert.ok(first);
    await store.release(first);
    await suite.redis.kill();
    await suite.redis.start();
    const second = await store.acquire('lease', { holder: 'beta', ttlMs: 60_000 });
    assert.ok(second && second.token > first.token);
    await store.commit([put('k', 'v')], [second]);
    await assert.rejects(store.commit([put('k', 'late')], [first]), refusedAs('conflict'));
  });

  it('fails with storage when Redis is silent for too long, and recovers with it', async () => {
    const store = await suite.stores.open({ timeoutMs: 400 });
    await store.commit([put('k', 'before')]);
    await suite.redis.freeze();
    const [sent, read] = [errorOf(store.commit([put('k', 'given up')])), errorOf(store.get('k'))];
    const [sentError, readError] = await Promise.all([sent, read]);
    assert.deepEqual([sentError.code, sentError.details['outcome']], ['storage', 'unknown']);
    assert.deepEqual([readError.code, readError.details['outcome']], ['storage', 'none']);
    assert.match(
      sentError.message,
      new RegExp(`redis://127.0.0.1:${suite.redis.port} gave no answer for 400 ms`),
    );
    await sleep(500);
    await suite.redis.thaw();
    await eventually(
      () =>
        store.get('k').then(
          () => true,
          () => false,
        ),
      'an answer',
    );
    const settled = await store.get('k');
    await sleep(300);
    assert.equal(await store.get('k'), settled, 'a commit that was given up came later');
    await store.commit([put('k', 'after')]);
    assert.equal(await store.get('k'), 'after');
  });

  it('never carries out a commit that was given up once a later call has been answered', async () => {
    const { store, way } = await suite.stores.openBehindProxy({ timeoutMs: 400 });
    const large = 'x'.repeat(100_000);
    way.setDelayMs(2500);
    const error = await errorOf(store.commit([put('k', large)]));
    assert.equal(error.details['outcome'], 'unknown');
    way.setDelayMs(0);
    const answer = (): Promise<boolean> => store.get('k').then((value) => value === undefined).catch(() => false); // prettier-ignore
    await eventually(answer, 'an answer over a new connection');
    const passedBytes = way.passedBytes;
    await eventually(() => way.passedBytes > passedBytes + large.length, 'the bytes of the old connection');
    await sleep(100);
    assert.equal(await store.get('k'), undefined);
    await store.commit([put('k', 'after')]);
    assert.equal(await store.get('k'), 'after');
  });

  it('says that nothing was changed when a commit could not be sent', async () => {
    const store = await suite.stores.open({ timeoutMs: 300 });
    await suite.redis.kill();
    await sleep(50);
    const error = await errorOf(store.commit([put('k', 'v')]));
    assert.deepEqual([error.code, error.details['outcome']], ['storage', 'none']);
    assert.match(error.message, /ECONNREFUSED/);
    await suite.redis.start();
    await eventually(() => store.commit([put('k', 'v')]).then(() => true).catch(() => false), 'a commit'); // prettier-ignore
  });

  it('keeps the order of commits when the way to Redis is cut again and again', async () => {
    const { store, way } = await suite.stores.openBehindProxy();
    const other = await suite.stores.open();
    const cutting = (async () => {
      for (let round = 0; round < 8; round += 1) {
        await sleep(60);
        way.cut();
        await sleep(10);
        way.heal();
      }
    })();
    const commits: Promise<void>[] = [];
    let highest = 0;
    for (let n = 1; n <= 1500; n += 1) {
      commits.push(store.commit([put('last', String(n)), put(`n/${n}`, '')]));
      if (n % 5 === 0) {
        const value = Number((await other.get('last')) ?? 0);
        assert.ok(value >= highest, `${value} came after ${highest}`);
        highest = value;
        await sleep(1);
      }
    }
    await cutting;
    await Promise.all(commits);
    assert.equal(await other.get('last'), '1500');
    assert.equal((await other.range(under('n/'))).length, 1500);
  });

  it('tells watchers to look at everything after the connection was lost', async () => {
    const { store, way } = await suite.stores.openBehindProxy();
    const other = await suite.stores.open();
    const heard: (readonly string[] | undefined)[] = [];
    store.watch('a/', (keys) => heard.push(keys));
    await eventually(() => heard.length === 1, 'the first notice');
    way.cut();
    await other.commit([put('a/1', 'missed')]);
    way.heal();
    await eventually(() => heard.length === 2, 'the notice of the new connection');
    assert.deepEqual(heard, [undefined, undefined]);
    await other.commit([put('a/2', ''), put('b', '')]);
    await eventually(() => heard.length === 3, 'the notice of a change');
    assert.deepEqual(heard[2], ['a/2']);
  });
});
