/** Cases of the store contract: notice of changes. */
import { expectEqual, expectTrue } from '../expectation.ts';
import { sleep } from '../waiting.ts';
import { storeCase, type StoreCase } from './store-case.ts';

/** Longer than any store needs to notice, for what must not come. */
const QUIET_MS = 300;

/** What watchers hear. */
export const watchCases: readonly StoreCase[] = [
  storeCase('tells of changes under a prefix, those of other processes too', async ({ open, eventually }) => {
    const [one, other] = [await open(), await open()];
    const heard: (readonly string[] | undefined)[] = [];
    one.watch('a/', (keys) => heard.push(keys));
    const count = async (writer: typeof one, key: string): Promise<void> => {
      const before = heard.length;
      await writer.commit([{ key, value: String(before) }]);
      await eventually(() => heard.length > before, `notice of ${key}`);
    };
    await count(one, 'a/own');
    await count(other, 'a/other');
    await count(other, 'a/other');
    for (const keys of heard)
      expectTrue(keys?.every((key) => key.startsWith('a/')) ?? true, 'a key of another prefix was told');
  }),
  storeCase('tells when a key is removed', async ({ open, eventually }) => {
    const [one, other] = [await open(), await open()];
    await one.commit([{ key: 'a/1', value: '1' }]);
    await sleep(QUIET_MS);
    let heard = 0;
    one.watch('a/', () => (heard += 1));
    await other.commit([{ key: 'a/1', value: null }]);
    await eventually(() => heard > 0, 'notice of a removal');
  }),
  storeCase('shows the change to who looks when told', async ({ open, eventually }) => {
    const [one, other] = [await open(), await open()];
    const seen: (string | undefined)[] = [];
    one.watch('a/', () => void one.get('a/1').then((value) => seen.push(value)));
    await other.commit([{ key: 'a/1', value: 'new' }]);
    await eventually(() => seen.includes('new'), 'the new value');
  }),
  storeCase('tells nothing any more after the removal of the listener', async ({ open, eventually }) => {
    const [one, other] = [await open(), await open()];
    let removed = 0;
    let kept = 0;
    const undo = one.watch('a/', () => (removed += 1));
    one.watch('a/', () => (kept += 1));
    undo();
    await other.commit([{ key: 'a/1', value: '1' }]);
    await eventually(() => kept > 0, 'notice for the other listener');
    expectEqual(removed, 0, 'notices for the listener that was removed');
  }),
  storeCase('tells nothing of a batch that was refused', async ({ open }) => {
    const [one, other] = [await open(), await open()];
    let heard = 0;
    one.watch('a/', () => (heard += 1));
    await sleep(QUIET_MS);
    const before = heard;
    const nobody = { name: 'never-given', holder: 'x', token: 1 };
    await other.commit([{ key: 'a/1', value: '1' }], [nobody]).catch(() => undefined);
    await sleep(QUIET_MS);
    expectEqual(heard, before, 'notices of a batch that was refused');
  }),
];
