import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keepPublisherKey, replacePublisherKey } from '../../../../cli/src/package/publisher-key.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts';
import { failsWith } from '../../../support/hosting.ts';

describe("the publisher's key", () => {
  let folder: TemporaryFolder;

  beforeEach(async () => (folder = await createTemporaryFolder()));
  afterEach(() => folder.remove());

  it('is made once, for its owner alone, also when two ask at once', async () => {
    const place = join(folder.path, 'a', 'b');
    const [one, two] = await Promise.all([keepPublisherKey(place), keepPublisherKey(place)]);
    assert.equal(one.publicKey, two.publicKey);
    const again = await keepPublisherKey(place);
    assert.deepEqual([again.publicKey, again.isNew], [one.publicKey, false]);
    assert.equal((await stat(again.file)).mode & 0o777, 0o600);
    assert.equal((await stat(place)).mode & 0o777, 0o700);
    assert.deepEqual(await readdir(place), ['publisher-key.json']);
  });

  it('is left alone when it is damaged or cannot be read', async () => {
    const file = join(folder.path, 'publisher-key.json');
    await writeFile(file, 'null');
    await assert.rejects(keepPublisherKey(folder.path), failsWith('invalid', /bring it back/));
    assert.equal(await readFile(file, 'utf8'), 'null');
  });

  it('is replaced once others agree, and the one that was offered is offered again after a failure', async () => {
    const old = await keepPublisherKey(folder.path);
    const offered: string[] = [];
    const refuse = replacePublisherKey(folder.path, async (next) => {
      offered.push(next.publicKey);
      throw new Error('the line is down');
    });
    await assert.rejects(refuse, /line is down/);
    assert.equal((await keepPublisherKey(folder.path)).publicKey, old.publicKey);
    const { publicKey } = await replacePublisherKey(folder.path, async (next, signer) => {
      offered.push(next.publicKey);
      assert.equal(signer.publicKey, old.publicKey);
    });
    assert.deepEqual(offered, [publicKey, publicKey]);
    assert.equal((await keepPublisherKey(folder.path)).publicKey, publicKey);
    assert.match(
      await readFile(join(folder.path, 'publisher-key.json.old'), 'utf8'),
      new RegExp(old.publicKey),
    );
  });

  it('cannot be replaced when there is none', async () => {
    const replacing = replacePublisherKey(folder.path, () => Promise.resolve());
    await assert.rejects(replacing, failsWith('not-found'));
  });
});
