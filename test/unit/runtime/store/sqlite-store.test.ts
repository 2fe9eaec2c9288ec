/** The SQLite store: opening, damage, versions, backup, several processes' connections. */
import assert from 'node:assert/strict';
import { chmod, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSqliteStore } from '@hyperty/runtime/node';
import { EPOCH_KEY } from '../../../../runtime/src/store/store.ts';
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

  it('gives a backup no epoch, so that it becomes a store of its own, and keeps its own', async () => {
    await fill();
    const store = await createSqliteStore({ file });
    await store.commit([{ key: EPOCH_KEY, value: 'first' }]);
    const target = join(folder.path, 'backup.db');
    await store.backUp(target);
    assert.equal(await store.get(EPOCH_KEY), 'first');
    await store.close();
    const copy = await createSqliteStore({ file: target, mustExist: true });
    assert.equal(await copy.get(EPOCH_KEY), undefined);
    assert.equal((await copy.range({})).length, 500);
    await copy.close();
  });

  it('makes no backup beside the log of a former file, which SQLite would take for its own', async () => {
    await fill();
    const store = await createSqliteStore({ file });
    const target = join(folder.path, 'backup.db');
    await writeFile(`${target}-wal`, 'the log of a store that was killed');
    await assert.rejects(store.backUp(target), failsWith('conflict', /backup\.db-wal exists already/));
    await store.close();
  });

  it('ends a backup while another process commits all the time, and leaves nothing else behind', async () => {
    const [store, other] = [await createSqliteStore({ file }), await createSqliteStore({ file })];
    await store.commit(Array.from({ length: 5000 }, (_, n) => ({ key: `k/${n}`, value: 'v'.repeat(2000) })));
    const end = new AbortController();
    const committing = (async () => {
      for (let n = 0; !end.signal.aborted; n += 1) await other.commit([{ key: 'busy', value: String(n) }]);
    })();
    const target = join(folder.path, 'backup.db');
    assert.ok((await store.backUp(target)) > 10_000_000);
    end.abort();
    await committing;
    assert.equal((await stat(target)).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(folder.path)).toSorted(), ['backup.db', 'inner']);
    await Promise.all([store.close(), other.close()]);
  });

  it('lets one of two backups into the same file win', async () => {
    await fill();
    const store = await createSqliteStore({ file });
    const target = join(folder.path, 'backup.db');
    const outcomes = await Promise.allSettled([store.backUp(target), store.backUp(target)]);
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    await store.close();
    const copy = await createSqliteStore({ file: target, mustExist: true });
    assert.equal((await copy.range({})).length, 500);
    await copy.close();
  });

  it('takes neither an absent nor an empty file for a store that must exist', async () => {
    await assert.rejects(createSqliteStore({ file, mustExist: true }), failsWith('not-found'));
    const empty = join(folder.path, 'empty.db');
    await writeFile(empty, '');
    await assert.rejects(createSqliteStore({ file: empty, mustExist: true }), failsWith('not-found'));
    assert.equal((await stat(empty)).size, 0);
  });

  it('takes a batch of 200,000 writes, and its neighbour', async () => {
    const store = await createSqliteStore({ file });
    const many = Array.from({ length: 200_000 }, (_, n) => ({ key: `k/${n}`, value: '' }));
    await Promise.all([store.commit([{ key: 'neighbour', value: '1' }]), store.commit(many)]);
    assert.equal(await store.get('k/199999'), '');
    await store.close();
  });

  it('refuses what meets a malformed lease, and carries out its neighbours', async () => {
    const store = await createSqliteStore({ file });
    const lease = await store.acquire('l', { holder: 'alpha', ttlMs: 1000 });
    assert.ok(lease);
    const database = new DatabaseSync(file);
    database.exec(`UPDATE leases SET record = '{"token":"many"}'`);
    database.close();
    const malformed = failsWith('internal', /lease "l" .* is malformed/);
    const before = store.commit([{ key: 'before', value: '1' }]);
    const asked = [
      store.commit([{ key: 'k', value: '1' }], [lease]),
      store.acquire('l', { holder: 'beta', ttlMs: 1000 }),
      store.release(lease),
      store.holderOf('l'),
    ];
    const after = store.commit([{ key: 'after', value: '1' }]);
    await Promise.all([before, ...asked.map((work) => assert.rejects(work, malformed)), after]);
    assert.deepEqual(
      (await store.range({})).map(({ key }) => key),
      ['after', 'before'],
    );
    await store.close();
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
