/** What processes that share a Redis see of each other, also when answers get lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Lease } from '@hyperty/runtime';
import { eventually } from '../../support/eventually.ts';
import { put, suiteOnRedis } from '../../support/redis-stores.ts';
import { refusedAs } from '../../support/refused.ts';

/** A process that takes the lease, writes under it and tells what it was given. */
const PROGRAM = `
  import { createRedisStore } from '@hyperty/services';
  const { url, namespace } = JSON.parse(process.env.TASK);
  const store = await createRedisStore({ url, namespace });
  const lease = await store.acquire('lease', { holder: 'child', ttlMs: 60_000 });
  await store.commit([{ key: 'jobs/1', value: 'of the child' }], [lease]);
  console.log(JSON.stringify(lease));
  await store.close();
`;

describe('stores that share a Redis', function () {
  this.timeout(60_000);
  const suite = suiteOnRedis();

  it('does not carry out a commit twice whose answer was lost, over a later change', async () => {
    const { store, way } = await suite.stores.openBehindProxy();
    const other = await suite.stores.open();
    way.setDelayMs(300);
    const commit = store.commit([put('k', 'first')]);
    await eventually(async () => (await other.get('k')) === 'first', 'the commit on its way');
    await other.commit([put('k', 'later')]);
    way.cut();
    way.setDelayMs(0);
    way.heal();
    await commit;
    assert.equal(await store.get('k'), 'later');
  });

  it('tells the outcome of commits whose answers were lost after their lease has gone', async () => {
    const { store, way } = await suite.stores.openBehindProxy();
    const other = await suite.stores.open();
    const lease = await store.acquire('lease', { holder: 'alpha', ttlMs: 60_000 });
    assert.ok(lease);
    way.setDelayMs(300);
    const forged: Lease = { ...lease, token: lease.token + 1 };
    const commits = Promise.allSettled([
      store.commit([put('a', '1')], [lease]),
      store.commit([put('b', '1')], [forged]),
      store.commit([put('c', '1')], [lease]),
    ]);
    await eventually(async () => (await other.get('c')) === '1', 'the commits on their way');
    await other.release(lease);
    await other.acquire('lease', { holder: 'beta', ttlMs: 60_000 });
    way.cut();
    way.setDelayMs(0);
    way.heal();
    const statuses = (await commits).map(({ status }) => status);
    assert.deepEqual(statuses, ['fulfilled', 'rejected', 'fulfilled']);
    await assert.rejects(store.commit([put('d', '1')], [lease]), refusedAs('conflict', 'lease'));
  });

  it('refuses what meets a malformed lease, and carries out its neighbours', async () => {
    const store = await suite.stores.open();
    const lease = await store.acquire('l', { holder: 'alpha', ttlMs: 60_000 });
    assert.ok(lease);
    await suite.redis.command(`HSET {${suite.stores.namespace}}:leases l many`);
    const malformed = refusedAs('internal', 'lease "l"');
    const asked = [
      store.commit([put('k', '1')], [lease]),
      store.acquire('l', { holder: 'beta', ttlMs: 60_000 }),
      store.release(lease),
      store.holderOf('l'),
    ];
    const after = store.commit([put('after', '1')]);
    await Promise.all([...asked.map((work) => assert.rejects(work, malformed)), after]);
    assert.deepEqual(await store.range({}), [put('after', '1')]);
  });

  it('goes on when Redis has forgotten the scripts', async () => {
    const store = await suite.stores.open();
    await store.commit([put('k', '0')]);
    assert.equal(await suite.redis.command('SCRIPT FLUSH'), '+OK');
    await Promise.all(['1', '2', '3'].map((value) => store.commit([put('k', value)])));
    assert.equal(await store.get('k'), '3');
  });

  it('misses no change that comes right after the call of watch', async () => {
    const [store, other] = [await suite.stores.open(), await suite.stores.open()];
    let seen: string | undefined;
    store.watch('a/', () => void store.get('a/1').then((value) => (seen = value)));
    await other.commit([put('a/1', 'soon')]);
    await eventually(() => seen === 'soon', 'the change');
  });

  it('names no keys when they are too many', async () => {
    const store = await suite.stores.open();
    const heard: (readonly string[] | undefined)[] = [];
    store.watch('k/', (keys) => heard.push(keys));
    await eventually(() => heard.length === 1, 'the first notice');
    await store.commit(Array.from({ length: 50 }, (_, n) => put(`k/${n}/${'x'.repeat(500)}`, '')));
    await eventually(() => heard.length === 2, 'the notice');
    assert.equal(heard[1], undefined);
  });

  it('shares leases and notices with another process, and fences it off', async () => {
    const store = await suite.stores.open();
    const heard: string[] = [];
    store.watch('jobs/', (keys) => heard.push(...(keys ?? [])));
    const args = ['--conditions=@hyperty/source', '--input-type=module-typescript', '--eval', PROGRAM];
    const task = JSON.stringify({ url: suite.redis.url, namespace: suite.stores.namespace });
    const child = spawn(process.execPath, args, { env: { ...process.env, TASK: task } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
    await once(child, 'close');
    assert.equal(child.exitCode, 0, output);
    const theirs = JSON.parse(output) as Lease;
    await eventually(() => heard.includes('jobs/1'), 'notice of the change');
    assert.equal(await store.holderOf('lease'), 'child');
    await store.release(theirs);
    const own = await store.acquire('lease', { holder: 'parent', ttlMs: 60_000 });
    assert.ok(own && own.token > theirs.token);
    await assert.rejects(store.commit([put('jobs/1', 'late')], [theirs]), refusedAs('conflict'));
    assert.equal(await store.get('jobs/1'), 'of the child');
  });
});
