/** The SQLite store: opening, damage, versions, backup, several processes' connections. */
import assert from 'node:assert/strict';
import { chmod, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSqliteStore } from '@hyperty/runtime/node';
import { failsWith } from '../../../support/hosting.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts';

describe('the SQLite store', () => {
  let folder: TemporaryFolder;
  let file: string;

  beforeEach(async () => {
    folder = await createTemporaryFolder();
    file = join(folder.path, 'inner', 'store.db');
  });
  afterEach(() => folder.remove());

  const fill = async (): Promise<void> => {
    const store = await createSqliteStore({ file });
    const rows = Array.from({ length: 500 }, (_, index) => ({ key: `k/${index}`, value: 'v'.repeat(200) }));
    await store.commit(rows);
    await store.close();
  };

  it('makes its file readable for its owner alone', async () => {
    await fill();
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder.path, 'inner'))).mode & 0o777, 0o700);
  });

  it('finds damage when it opens a file, and says what to do', async () => {
    await fill();
    const handle = await open(file, 'r+');
    for (let page = 2; page < 20; page += 1) await handle.write(Buffer.alloc(200, 0xff), 0, 200, page * 4096);
    await handle.close();
    await assert.rejects(createSqliteStore({ file }), failsWith('internal', /damaged.*backup/));
  });

  it('says that a file is no database at all', async () => {
    await fill();
    await writeFile(file, 'hello, this is a text and not a database. '.repeat(100));
    await assert.rejects(createSqliteStore({ file }), failsWith('internal', /damaged/));
    assert.match(await readFile(file, 'utf8'), /^hello/);
  });

  it('leaves the SQLite file of another program alone', async () => {
    const foreign = join(folder.path, 'foreign.db');
    const database = new DatabaseSync(foreign);
    database.exec('CREATE TABLE things (x)');
    database.close();
    await chmod(foreign, 0o644);
    const before = await readFile(foreign);
    await assert.rejects(createSqliteStore({ file: foreign }), failsWith('invalid', /another program/));
    assert.deepEqual(await readFile(foreign), before);
    assert.equal((await stat(foreign)).mode & 0o777, 0o644);
  });

  it('refuses a file of a newer version and changes nothing', async () => {
    await fill();
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    const before = await readFile(file);
    await assert.rejects(createSqliteStore({ file }), failsWith('unsupported', /newer version/));
    assert.deepEqual(await readFile(file), before);
  });

  it('says where it cannot make its file', async () => {
    await writeFile(join(folder.path, 'inner'), 'a file where a folder should be');
    await assert.rejects(createSqliteStore({ file }), failsWith('storage', /inner/));
  });

  it('writes a backup that opens as a store, while commits go on', async () => {
    const store = await createSqliteStore({ file });
    await store.commit(Array.from({ length: 2000 }, (_, n) => ({ key: `k/${n}`, value: 'v'.repeat(500) })));
    const target = join(folder.path, 'backup.db');
    const [bytes] = await Promise.all([store.backUp(target), store.commit([{ key: 'later', value: '1' }])]);
    assert.ok(bytes > 1_000_000);
    await assert.rejects(store.backUp(target), failsWith('conflict', /exists already/));
    await store.close();
    const copy = await createSqliteStore({ file: target });
    assert.equal((await copy.range({ from: 'k/', to: 'k0' })).length, 2000);
    await copy.close();
  });

  it('waits for another connection that holds the file, and then says so', async () => {
    await fill();
    const store = await createSqliteStore({ file, busyTimeoutMs: 200 });
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const short = store.commit([{ key: 'short', value: '1' }]);
    setTimeout(() => other.exec('COMMIT'), 60);
    await short;
    other.exec('BEGIN IMMEDIATE');
    await assert.rejects(store.commit([{ key: 'long', value: '1' }]), failsWith('storage', /locked/));
    other.exec('ROLLBACK');
    await store.commit([{ key: 'after', value: '1' }]);
    assert.equal(await store.get('long'), undefined);
    other.close();
    await store.close();
  });
});
