/** What every source of a directory keeps: the suite that each of them runs. */
import assert from 'node:assert/strict';
import type { DirectorySource, SourcePerson } from '@hyperty/services';

/** A source under test, and what is behind it. */
export interface SourceUnderTest {
  readonly source: DirectorySource;
  /** Adds or replaces a person behind the source. */
  put(localpart: string, name: string): Promise<void>;
  remove(localpart: string): Promise<void>;
  stop(): Promise<void>;
}

/** Declares the suite. @param start makes a source of acme.example with nobody in it */
export function directorySourceContract(start: () => Promise<SourceUnderTest>): void {
  describe('keeps the contract of directory sources:', () => {
    let under: SourceUnderTest;
    beforeEach(async () => (under = await start()));
    afterEach(() => under.stop());

    const all = async (signal = new AbortController().signal): Promise<SourcePerson[]> => {
      const people: SourcePerson[] = [];
      for await (const person of under.source.load(signal)) people.push(person);
      return people.sort((a, b) => (a.userId < b.userId ? -1 : 1));
    };

    it('has a name', () => {
      assert.notEqual(under.source.name, '');
    });

    it('ends when there is nobody', async () => {
      assert.deepEqual(await all(), []);
    });

    it('gives everybody once, with names in any script', async () => {
      await under.put('alice', 'Alice Ådams');
      await under.put('ming', '王小明');
      await under.put('michael', 'מיכאל כהן');
      const people = (await all()).map(({ userId, name }) => [userId, name]);
      assert.deepEqual(people, [
        ['@alice:acme.example', 'Alice Ådams'],
        ['@michael:acme.example', 'מיכאל כהן'],
        ['@ming:acme.example', '王小明'],
      ]);
    });

    it('gives everybody of many', async () => {
      for (let n = 0; n < 250; n += 1) await under.put(`user${n}`, `User ${n}`);
      const people = await all();
      assert.equal(people.length, 250);
      assert.equal(new Set(people.map(({ userId }) => userId)).size, 250);
    });

    it('gives what is there each time that it is loaded', async () => {
      await under.put('alice', 'Alice');
      await under.put('bob', 'Bob');
      await all();
      await under.put('alice', 'Alicia');
      await under.remove('bob');
      assert.deepEqual(
        (await all()).map(({ name }) => name),
        ['Alicia'],
      );
    });

    it('stops when it is told to', async () => {
      await under.put('alice', 'Alice');
      const end = new AbortController();
      end.abort();
      await assert.rejects(all(end.signal));
    });
  });
}
