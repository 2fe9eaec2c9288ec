import assert from 'node:assert/strict';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createSqliteStore } from '@hyperty/runtime/node';
import { runCommand } from '../../support/hyperty-command.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

describe('hyperty store', function () {
  this.timeout(30_000);
  let folder: TemporaryFolder;
  let file: string;

  before(async () => {
    folder = await createTemporaryFolder();
    file = join(folder.path, 'alice.db');
    const store = await createSqliteStore({ file });
    await store.commit(Array.from({ length: 12_345 }, (_, n) => ({ key: `k/${n}`, value: 'v'.repeat(100) })));
    await store.close();
  });
  after(() => folder.remove());

  it('check counts what is in a sound file', async () => {
    const { code, output } = await runCommand(['store', 'check', file]);
    assert.match(output, /alice\.db is sound: 12345 entries, \d+\.\d MiB\./);
    assert.equal(code, 0);
    const { entries } = JSON.parse((await runCommand(['store', 'check', file, '--json'])).output) as {
      entries: number;
    };
    assert.equal(entries, 12_345);
  });

  it('check makes no file where there is none', async () => {
    const missing = join(folder.path, 'missing.db');
    const { code, output } = await runCommand(['store', 'check', missing]);
    assert.match(output, /There is no store at .*missing\.db/);
    assert.equal(code, 1);
    await assert.rejects(stat(missing));
  });

  it('backup copies a store that is in use, and overwrites nothing', async () => {
    const target = join(folder.path, 'backups', 'monday.db');
    const store = await createSqliteStore({ file });
    await store.commit([{ key: 'latest', value: '1' }]);
    const first = await runCommand(['store', 'backup', file, target]);
    assert.match(first.output, /monday\.db holds a copy of .*alice\.db .*checked/);
    assert.equal(first.code, 0);
    const second = await runCommand(['store', 'backup', file, target]);
    assert.match(second.output, /exists already/);
    assert.equal(second.code, 1);
    await store.close();
    const copy = await createSqliteStore({ file: target });
    assert.equal(await copy.get('latest'), '1');
    await copy.close();
  });

  it('backup copies a folder of stores, and restore puts it where they were and overwrites nothing', async () => {
    const data = join(folder.path, 'data');
    for (const name of ['registry', 'catalogue']) {
      const store = await createSqliteStore({ file: join(data, `${name}.db`) });
      await store.commit([{ key: 'is', value: name }]);
      await store.close();
    }
    const backup = join(folder.path, 'backups', 'all');
    assert.equal((await runCommand(['store', 'backup', data, backup])).code, 0);
    const taken = await runCommand(['store', 'restore', backup, data]);
    assert.match(taken.output, /exists already/);
    assert.equal(taken.code, 1);
    const place = join(folder.path, 'restored');
    assert.equal((await runCommand(['store', 'restore', backup, place])).code, 0);
    for (const name of ['registry', 'catalogue']) {
      const store = await createSqliteStore({ file: join(place, `${name}.db`), mustExist: true });
      assert.equal(await store.get('is'), name);
      await store.close();
    }
  });

  it('check ends with 1 for a damaged file and says what to do', async () => {
    const damaged = join(folder.path, 'damaged.db');
    await runCommand(['store', 'backup', file, damaged]);
    const handle = await open(damaged, 'r+');
    for (let page = 3; page < 40; page += 1) await handle.write(Buffer.alloc(300, 0xff), 0, 300, page * 4096);
    await handle.close();
    const { code, output } = await runCommand(['store', 'check', damaged]);
    assert.match(output, /damaged\.db is damaged .* backup/s);
    assert.equal(code, 1);
  });
});
