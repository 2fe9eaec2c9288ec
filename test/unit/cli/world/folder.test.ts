/** Folders that the command makes. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../../../cli/src/world/folder.ts';

describe('a folder that is made', () => {
  it('comes with those above it, for its owner alone, and may be there already', async () => {
    const root = await mkdtemp(join(tmpdir(), 'hyperty-folder-'));
    const path = join(root, 'a', 'b');
    await makeFolder(path);
    await makeFolder(path);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    await rm(root, { recursive: true });
  });

  it('fails at once where none can be made', async function () {
    if (process.platform !== 'linux') return;
    await assert.rejects(makeFolder('/proc/hyperty/world'), { code: 'ENOENT' });
  });
});
