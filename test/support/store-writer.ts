/**
 * A process that commits to a SQLite store until it is killed, for tests of crashes: batch n holds n under five keys,
 * and n is printed once the commit is acknowledged. Arguments: the file, and the first n.
 */
import { createSqliteStore } from '@hyperty/runtime/node';

const [file = '', first = '1'] = process.argv.slice(2);
const store = await createSqliteStore({ file });
for (let n = Number(first); ; n += 1) {
  const value = `${n} ${'x'.repeat((n * 97) % 5000)}`;
  const writes = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ key: `now/${name}`, value }));
  await store.commit([...writes, { key: `all/${String(n).padStart(9, '0')}`, value }]);
  process.stdout.write(`${n}\n`);
}
