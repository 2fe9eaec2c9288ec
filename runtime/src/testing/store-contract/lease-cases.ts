/** Cases of the store contract: leases, and fencing off those who lost them. */
import type { Lease, Store } from '../../store/store.ts';
import { expectEqual, expectRefusal, expectTrue, expectTypeError } from '../expectation.ts';
import { sleep } from '../waiting.ts';
import { storeCase, type StoreCase } from './store-case.ts';

const LONG_MS = 60_000;
const SHORT_MS = 500;

async function acquired(store: Store, holder: string, ttlMs = LONG_MS): Promise<Lease> {
  const lease = await store.acquire('lease', { holder, ttlMs });
  if (!lease) throw new Error(`Contract broken: ${holder} was not given a lease that is free.`);
  return lease;
}

const write = [{ key: 'k', value: 'v' }];

/** What leases promise. */
export const leaseCases: readonly StoreCase[] = [
  storeCase('gives a lease to one holder and tells others who it is', async ({ open }) => {
    const [one, other] = [await open(), await open()];
    expectEqual(await one.holderOf('lease'), undefined, 'holder before');
    const lease = await acquired(one, 'alpha');
    expectEqual([lease.name, lease.holder], ['lease', 'alpha'], 'the lease');
    expectEqual(
      await other.acquire('lease', { holder: 'beta', ttlMs: LONG_MS }),
      undefined,
      'the second request',
    );
    expectEqual(await other.holderOf('lease'), 'alpha', 'holder');
    expectTrue(
      (await other.acquire('another', { holder: 'beta', ttlMs: LONG_MS })) !== undefined,
      'another lease',
    );
  }),
  storeCase('renews for its holder with the same token', async ({ open }) => {
    const store = await open();
    const first = await acquired(store, 'alpha', SHORT_MS);
    for (let round = 0; round < 4; round += 1) {
      await sleep(SHORT_MS / 3);
      expectEqual(await acquired(store, 'alpha', SHORT_MS), first, 'the renewed lease');
      expectEqual(await store.acquire('lease', { holder: 'beta', ttlMs: SHORT_MS }), undefined, 'a rival');
    }
  }),
  storeCase(
    'gives a lease that was not renewed to the next, with a higher token',
    async ({ open, eventually }) => {
      const [one, other] = [await open(), await open()];
      const lost = await acquired(one, 'alpha', SHORT_MS);
      let taken: Lease | undefined;
      const take = async (): Promise<boolean> => {
        taken = await other.acquire('lease', { holder: 'beta', ttlMs: LONG_MS });
        return taken !== undefined;
      };
      await eventually(take, 'taking over a lease that has run out');
      expectTrue((taken?.token ?? 0) > lost.token, 'the token has not grown');
      expectEqual(
        await one.acquire('lease', { holder: 'alpha', ttlMs: LONG_MS }),
        undefined,
        'the former holder',
      );
    },
  ),
  storeCase('gives back a lease at once, and its token never again', async ({ open }) => {
    const [one, other] = [await open(), await open()];
    const first = await acquired(one, 'alpha');
    await one.release(first);
    expectEqual(await other.holderOf('lease'), undefined, 'holder of a lease that was given back');
    const second = await acquired(other, 'beta');
    expectTrue(second.token > first.token, 'the token has not grown');
    await one.release(first);
    expectEqual(await other.holderOf('lease'), 'beta', 'holder after a stale release');
  }),
  storeCase('lets only the latest lease write', async ({ open }) => {
    const [one, other] = [await open(), await open()];
    const first = await acquired(one, 'alpha');
    await one.commit(write, [first]);
    await one.release(first);
    await expectRefusal(
      one.commit([{ key: 'k', value: 'late' }], [first]),
      ['conflict'],
      'after the release',
    );
    const second = await acquired(other, 'beta');
    await expectRefusal(
      one.commit([{ key: 'k', value: 'late' }], [first]),
      ['conflict'],
      'after the take-over',
    );
    await other.commit([{ key: 'k', value: 'right' }], [second]);
    expectEqual(await one.get('k'), 'right', 'value of k');
  }),
  storeCase(
    'lets a holder write whose time has run out while nobody else wants the lease',
    async ({ open }) => {
      const store = await open();
      const lease = await acquired(store, 'alpha', SHORT_MS);
      await sleep(SHORT_MS * 2);
      await store.commit(write, [lease]);
      expectEqual(await acquired(store, 'alpha'), lease, 'the lease when it is renewed late');
    },
  ),
  storeCase(
    'refuses a batch one of whose leases is lost, and carries out its neighbours',
    async ({ open }) => {
      const store = await open();
      const own = await acquired(store, 'alpha');
      const forged = { name: 'lease', holder: 'alpha', token: own.token + 1 };
      const [before, refused, unknown, after] = await Promise.allSettled([
        store.commit([{ key: 'before', value: '1' }], [own]),
        store.commit([{ key: 'refused', value: '1' }], [own, forged]),
        store.commit([{ key: 'refused', value: '1' }], [{ ...own, name: 'never-given' }]),
        store.commit([{ key: 'after', value: '1' }]),
      ]);
      const outcomes = [before, refused, unknown, after].map(({ status }) => status);
      expectEqual(outcomes, ['fulfilled', 'rejected', 'rejected', 'fulfilled'], 'outcomes');
      expectEqual(
        (await store.range({})).map(({ key }) => key),
        ['after', 'before'],
        'keys',
      );
    },
  ),
  storeCase('gives one of many that ask at once the lease', async ({ open }) => {
    const stores = await Promise.all([open(), open(), open(), open()]);
    const asked = stores.map((store, index) =>
      store.acquire('lease', { holder: `holder-${index}`, ttlMs: LONG_MS }),
    );
    const given = (await Promise.all(asked)).filter((lease) => lease !== undefined);
    expectEqual(given.length, 1, 'leases given');
  }),
  storeCase('refuses requests that make no sense, and keeps nothing of them', async ({ open }) => {
    const store = await open();
    for (const ttlMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      await expectTypeError(() => store.acquire('lease', { holder: 'alpha', ttlMs }), `ttlMs ${ttlMs}`);
    for (const holder of ['', 'a b', 'ä'])
      await expectTypeError(() => store.acquire('lease', { holder, ttlMs: LONG_MS }), `holder "${holder}"`);
    await expectTypeError(() => store.acquire('', { holder: 'alpha', ttlMs: LONG_MS }), 'no name');
    expectEqual(await store.holderOf('lease'), undefined, 'holder');
    await acquired(store, 'alpha');
  }),
];
