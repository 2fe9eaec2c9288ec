/** Cases of the store contract: atomic batches, their order, what is refused. */
import { MAX_KEY_CHARS, MAX_VALUE_CHARS, type Write } from '../../store/store.ts';
import { expectEqual, expectRefusal, expectTypeError } from '../expectation.ts';
import { sleep } from '../waiting.ts';
import { storeCase, type StoreCase } from './store-case.ts';

const put = (key: string, value: string | null): Write => ({ key, value });

/** What commits do. */
export const commitCases: readonly StoreCase[] = [
  storeCase('replaces and removes', async ({ open }) => {
    const store = await open();
    await store.commit([put('a', '1'), put('b', '1')]);
    await store.commit([put('a', '2'), put('b', null), put('never', null)]);
    expectEqual(await store.range({}), [put('a', '2')], 'what is left');
  }),
  storeCase('lets the later of two writes to one key count', async ({ open }) => {
    const store = await open();
    await store.commit([put('a', '1'), put('a', '2'), put('b', '1'), put('b', null)]);
    await store.commit([put('c', null), put('c', '3')]);
    expectEqual(await store.range({}), [put('a', '2'), put('c', '3')], 'what is there');
  }),
  storeCase('takes an empty batch', async ({ open }) => {
    const store = await open();
    await store.commit([]);
    expectEqual(await store.range({}), [], 'what is there');
  }),
  storeCase('carries out commits in the order in which they were asked for', async ({ open }) => {
    const store = await open();
    const values = Array.from({ length: 200 }, (_, index) => String(index));
    await Promise.all(values.map((value) => store.commit([put('k', value), put(`k/${value}`, value)])));
    expectEqual(await store.get('k'), '199', 'value of the last commit');
    expectEqual((await store.range({})).length, 201, 'number of entries');
  }),
  storeCase('makes all changes of a batch or none: nobody reads half of one', async ({ open }) => {
    const [writer, reader] = [await open(), await open()];
    const keys = ['x/1', 'x/2', 'x/3'];
    await writer.commit(keys.map((key) => put(key, '0')));
    const writing = (async () => {
      for (let round = 1; round <= 100; round += 1)
        await writer.commit(keys.map((key) => put(key, String(round))));
    })();
    for (let seen = ''; seen !== '100';) {
      const values = (await reader.range({ from: 'x/', to: 'x0' })).map(({ value }) => value);
      expectEqual(new Set(values).size, 1, `values seen at once (${values.join(' ')})`);
      seen = values[0] ?? '';
      await sleep(0); // a store that reads at once must not keep the writer from its turn
    }
    await writing;
  }),
  storeCase('keeps what it was given, whatever the caller does to it afterwards', async ({ open }) => {
    const store = await open();
    const write = { key: 'k', value: 'given' };
    const batch = [write];
    const committing = store.commit(batch);
    write.value = 'changed';
    write.key = 'no key';
    batch.length = 0;
    await committing;
    expectEqual(await store.range({}), [put('k', 'given')], 'what is there');
  }),
  storeCase('refuses a malformed lease alone', async ({ open }) => {
    const store = await open();
    const malformed = { name: 'lease', holder: '', token: Number.NaN };
    const refused = expectTypeError(() => store.commit([put('a', '1')], [malformed]), 'a malformed lease');
    await Promise.all([refused, store.commit([put('b', '1')])]);
    expectEqual(await store.range({}), [put('b', '1')], 'what is there');
  }),
  storeCase('refuses malformed keys and texts, and changes nothing', async ({ open }) => {
    const store = await open();
    for (const key of ['', 'a b', 'a\n', 'ä', '\x7f', 'k'.repeat(MAX_KEY_CHARS + 1)]) {
      await expectTypeError(
        () => store.commit([put('good', 'v'), put(key, 'v')]),
        `key ${JSON.stringify(key)}`,
      );
      await expectTypeError(() => store.get(key), `reading key ${JSON.stringify(key)}`);
    }
    await expectTypeError(() => store.commit([put('good', 'v'), put('k', '\ud800')]), 'a lone surrogate');
    const large = store.commit([put('good', 'v'), put('k', 'v'.repeat(MAX_VALUE_CHARS + 1))]);
    await expectRefusal(large, ['too-large'], 'a value that is too large');
    await expectTypeError(() => store.range({ limit: 0 }), 'limit 0');
    expectEqual(await store.range({}), [], 'what is there');
  }),
  storeCase('refuses everything after it has been closed', async ({ open, outlivesClose }) => {
    const store = await open();
    const pending = store.commit([put('k', 'v')]);
    await store.close();
    await store.close();
    await pending;
    await expectRefusal(store.get('k'), ['closed'], 'reading');
    await expectRefusal(store.range({}), ['closed'], 'reading a range');
    await expectRefusal(store.commit([put('k', 'v')]), ['closed'], 'a commit');
    await expectRefusal(store.acquire('l', { holder: 'a', ttlMs: 1000 }), ['closed'], 'taking a lease');
    if (outlivesClose) expectEqual(await (await open()).get('k'), 'v', 'value for the next to open it');
  }),
];
