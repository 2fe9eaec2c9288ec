/** The store in a SQLite file keeps the contract. */
import { join } from 'node:path';
import { createSqliteStore } from '@hyperty/runtime/node';
import { storeContract } from '@hyperty/runtime/testing';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';

describe('the SQLite store', () => {
  let folder: TemporaryFolder;
  let files = 0;

  before(async () => {
    folder = await createTemporaryFolder();
  });
  after(() => folder.remove());

  const cases = storeContract({
    async create() {
      files += 1;
      const file = join(folder.path, `${files}.db`);
      return () => createSqliteStore({ file });
    },
    outlivesClose: true,
  });
  for (const { name, run } of cases) it(name, run);
});
