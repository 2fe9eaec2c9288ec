/** Cases of the store contract: what is read, and in which order. */
import {
  MAX_KEY_CHARS,
  MAX_RANGE,
  MAX_RANGE_CHARS,
  MAX_VALUE_CHARS,
  under,
  type Entry,
} from '../../store/store.ts';
import { expectEqual, expectTrue } from '../expectation.ts';
import { storeCase, type StoreCase } from './store-case.ts';

const KEYS = ['!', 'B', 'a', 'a/', 'a/1', 'a/10', 'a/2', 'a0', 'b', '~'];

const entriesOf = (keys: readonly string[]): { key: string; value: string }[] =>
  keys.map((key) => ({ key, value: `value of ${key}` }));

/** Reads page after page until none comes; returns the keys of all. */
async function pagesOf(read: (last: string | undefined) => Promise<readonly Entry[]>): Promise<string[]> {
  const keys: string[] = [];
  for (let page = await read(undefined); page.length > 0; page = await read(keys.at(-1))) {
    const chars = page.reduce((sum, { value }) => sum + value.length, 0);
    expectTrue(chars <= MAX_RANGE_CHARS, `a page has ${chars} characters`);
    keys.push(...page.map(({ key }) => key));
  }
  return keys;
}

/** What is read, and in which order. */
export const readCases: readonly StoreCase[] = [
  storeCase('reads what was committed, and undefined for what was not', async ({ open }) => {
    const store = await open();
    await store.commit([{ key: 'k', value: 'v' }]);
    expectEqual(await store.get('k'), 'v', 'value of k');
    expectEqual(await store.get('other'), undefined, 'value of a key that was never written');
  }),
  storeCase('keeps every well-formed text unchanged', async ({ open }) => {
    const store = await open();
    const texts = [
      '',
      ' ',
      '\0',
      'a\0b',
      '\u{1F600}',
      '\u2028\u2029',
      '\uFEFF',
      'é',
      "'; drop table",
      '\r\n',
    ];
    await store.commit(texts.map((value, index) => ({ key: `t/${index}`, value })));
    for (const [index, value] of texts.entries()) {
      const kept = await store.get(`t/${index}`);
      expectTrue(kept === value, `${JSON.stringify(value)} came back as ${JSON.stringify(kept)}`);
    }
  }),
  storeCase('keeps keys and values of the largest size', async ({ open }) => {
    const store = await open();
    const key = 'k'.repeat(MAX_KEY_CHARS);
    const value = 'v'.repeat(MAX_VALUE_CHARS);
    await store.commit([{ key, value }]);
    expectTrue((await store.get(key)) === value, 'the largest value came back changed');
  }),
  storeCase('gives ranges in the order of their bytes', async ({ open }) => {
    const store = await open();
    await store.commit(entriesOf(KEYS).toReversed());
    expectEqual(await store.range({}), entriesOf(KEYS), 'everything');
    expectEqual(await store.range({ reverse: true }), entriesOf(KEYS).toReversed(), 'everything, backwards');
    expectEqual(await store.range(under('a/')), entriesOf(['a/', 'a/1', 'a/10', 'a/2']), 'all under a/');
  }),
  storeCase('includes the beginning of a range and not its end', async ({ open }) => {
    const store = await open();
    await store.commit(entriesOf(KEYS));
    expectEqual(await store.range({ from: 'a', to: 'b' }), entriesOf(KEYS.slice(2, 8)), 'from a to b');
    expectEqual(await store.range({ from: 'a/11' }), entriesOf(['a/2', 'a0', 'b', '~']), 'from a/11');
    expectEqual(await store.range({ to: 'B' }), entriesOf(['!']), 'up to B');
    expectEqual(await store.range({ from: 'b', to: 'a' }), [], 'from b to a');
  }),
  storeCase('gives as many entries as were asked for, from the end that was asked for', async ({ open }) => {
    const store = await open();
    await store.commit(entriesOf(KEYS));
    expectEqual(await store.range({ ...under('a/'), limit: 2 }), entriesOf(['a/', 'a/1']), 'first two');
    const last = await store.range({ ...under('a/'), limit: 2, reverse: true });
    expectEqual(last, entriesOf(['a/2', 'a/10']), 'last two, backwards');
  }),
  storeCase(`gives at most ${MAX_RANGE} entries; the next range goes on after them`, async ({ open }) => {
    const store = await open();
    const keys = Array.from({ length: MAX_RANGE + 5 }, (_, index) => `k/${String(index).padStart(6, '0')}`);
    await store.commit(keys.map((key) => ({ key, value: '' })));
    const first = await store.range({ limit: MAX_RANGE * 2 });
    expectEqual(first.length, MAX_RANGE, 'entries in the first range');
    const rest = await store.range({ from: `${first.at(-1)?.key ?? ''} ` });
    expectEqual(
      rest.map(({ key }) => key),
      keys.slice(MAX_RANGE),
      'keys in the second range',
    );
  }),
  storeCase(
    'gives as much at once as fits into memory; the next range goes on after it',
    async ({ open }) => {
      const store = await open();
      const keys = ['k/1', 'k/2', 'k/3', 'k/4'];
      const large = 'v'.repeat(MAX_VALUE_CHARS);
      for (const key of keys) await store.commit([{ key, value: key === 'k/4' ? 'small' : large }]);
      const forwards = await pagesOf((last) => store.range(last === undefined ? {} : { from: `${last} ` }));
      expectEqual(forwards, keys, 'keys of all pages');
      const backwards = await pagesOf((last) =>
        store.range(last === undefined ? { reverse: true } : { to: last, reverse: true }),
      );
      expectEqual(backwards, keys.toReversed(), 'keys of all pages, backwards');
    },
  ),
  storeCase('shows each process what another has committed', async ({ open }) => {
    const [one, other] = [await open(), await open()];
    await one.commit([{ key: 'k', value: 'v' }]);
    expectEqual(await other.get('k'), 'v', 'value of k for another process');
    expectEqual(await other.range({}), [{ key: 'k', value: 'v' }], 'range for another process');
  }),
];
