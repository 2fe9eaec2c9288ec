import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockHolder, tryLock } from '../../../../cli/src/world/process-lock.ts';
import { findProcess } from '../../../../cli/src/world/process-table.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts';

describe('process lock', () => {
  let folder: TemporaryFolder;
  let path: string;

  beforeEach(async () => {
    folder = await createTemporaryFolder();
    path = join(folder.path, 'sub', 'a.lock');
  });

  afterEach(() => folder.remove());

  it('goes to one of many that want it at the same time', async () => {
    const locks = await Promise.all(Array.from({ length: 20 }, () => tryLock(path)));
    assert.equal(locks.filter((lock) => lock !== undefined).length, 1);
    assert.equal((await lockHolder(path))?.pid, process.pid);
    assert.deepEqual(await readdir(join(folder.path, 'sub')), ['a.lock']);
  });

  it('is free again after its release, which does nothing the second time', async () => {
    const first = await tryLock(path);
    await first?.release();
    const second = await tryLock(path);
    assert.ok(second !== undefined);
    await first?.release();
    assert.equal((await lockHolder(path))?.pid, process.pid);
  });

  it('counts as free when its process is gone', async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
    const info = await findProcess(child.pid ?? 0);
    await tryLock(path).then((lock) => lock?.release());
    await writeFile(path, JSON.stringify({ pid: child.pid, startMark: info?.startMark }));
    assert.equal(await tryLock(path), undefined);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.ok((await tryLock(path)) !== undefined);
  });

  it('counts as free when another process has got the same id', async () => {
    await tryLock(path).then((lock) => lock?.release());
    await writeFile(path, JSON.stringify({ pid: process.pid, startMark: 'long ago' }));
    assert.equal(await lockHolder(path), undefined);
    assert.ok((await tryLock(path)) !== undefined);
  });

  it('counts as free when its file is damaged', async () => {
    await tryLock(path).then((lock) => lock?.release());
    for (const text of ['', 'null', '{"pid":"x"}', '{']) {
      await writeFile(path, text);
      const lock = await tryLock(path);
      assert.ok(lock !== undefined, text);
      assert.match(await readFile(path, 'utf8'), /"pid"/);
      await lock.release();
    }
  });
});
