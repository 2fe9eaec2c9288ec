import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createFileStorage } from '@hyperty/runtime/node';
import { failsWith } from '../../../support/hosting.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts';

describe('file storage', () => {
  let folder: TemporaryFolder;
  let directory: string;

  beforeEach(async () => {
    folder = await createTemporaryFolder();
    directory = join(folder.path, 'deep', 'store');
  });
  afterEach(() => folder.remove());

  it('returns what was stored, and undefined for what never was', async () => {
    const storage = createFileStorage(directory);
    assert.equal(await storage.get('session'), undefined);
    await storage.set('session', 'ünïcödé 🎉\n');
    assert.equal(await createFileStorage(directory).get('session'), 'ünïcödé 🎉\n');
    await storage.set('session', 'new');
    assert.equal(await storage.get('session'), 'new');
  });

  it('forgets what is deleted, and does not mind what is not there', async () => {
    const storage = createFileStorage(directory);
    await storage.set('session', 'x');
    await storage.delete('session');
    await storage.delete('session');
    assert.equal(await storage.get('session'), undefined);
  });

  it('lets the owner alone read directory and files, even in a directory that was open before', async () => {
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o755);
    await createFileStorage(directory).set('session', 'secret');
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    assert.equal(statSync(join(directory, 'session')).mode & 0o777, 0o600);
  });

  it('leaves nothing but the value behind, and the old value when the new one cannot be written', async () => {
    const storage = createFileStorage(directory);
    await storage.set('session', 'old');
    assert.deepEqual(readdirSync(directory), ['session']);
    mkdirSync(join(directory, 'taken'));
    await assert.rejects(storage.set('taken', 'x'), failsWith('internal', /taken/));
    assert.deepEqual(readdirSync(directory).sort(), ['session', 'taken']);
    assert.equal(readFileSync(join(directory, 'session'), 'utf8'), 'old');
  });

  it('says why when the directory cannot be used', async () => {
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    const storage = createFileStorage(join(file, 'store'));
    await assert.rejects(storage.set('session', 'x'), failsWith('internal', /Cannot write/));
    await assert.rejects(storage.get('session'), failsWith('internal', /Cannot read/));
  });

  it('refuses keys that could name another file', async () => {
    const storage = createFileStorage(directory);
    for (const key of ['', '.', '..', '../x', 'a/b', 'a\\b', '.hidden', 'a\0b', 'ü', 'x'.repeat(129)]) {
      await assert.rejects(async () => storage.get(key), TypeError, key);
      await assert.rejects(async () => storage.set(key, 'x'), TypeError, key);
      await assert.rejects(async () => storage.delete(key), TypeError, key);
    }
    assert.equal(existsSync(directory), false);
  });

  it('keeps the last of several values written at once', async () => {
    const storage = createFileStorage(directory);
    await Promise.all(['one', 'two', 'three'].map((value) => storage.set('session', value)));
    assert.equal(await storage.get('session'), 'three');
    assert.deepEqual(readdirSync(directory), ['session']);
  });
});
