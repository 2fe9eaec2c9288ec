/** Durable hyperties keep their contract on a store in a SQLite file. */
import { join } from 'node:path';
import { createSqliteStore } from '@hyperty/runtime/node';
import { durableContract } from '@hyperty/runtime/testing';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';

describe('a durable hyperty on a SQLite store', function () {
  this.timeout(30_000);
  let folder: TemporaryFolder;
  let files = 0;

  before(async () => {
    folder = await createTemporaryFolder();
  });
  after(() => folder.remove());

  const cases = durableContract({
    async create() {
      files += 1;
      const file = join(folder.path, `${files}.db`);
      return () => createSqliteStore({ file });
    },
  });
  for (const { name, run } of cases) it(name, run);
});
