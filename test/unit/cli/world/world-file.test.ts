import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planCompanies } from '../../../../cli/src/world/company.ts';
import { beginWorld, completeWorld, readWorld } from '../../../../cli/src/world/world-file.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts';

describe('world file', () => {
  let folder: TemporaryFolder;
  let dir: string;

  beforeEach(async () => {
    folder = await createTemporaryFolder();
    dir = join(folder.path, 'world');
  });

  afterEach(() => folder.remove());

  it('is absent in a folder that is not there or empty', async () => {
    assert.deepEqual(await readWorld(dir), { kind: 'absent' });
    await mkdir(dir);
    assert.deepEqual(await readWorld(dir), { kind: 'absent' });
  });

  it('is half-written until it is marked as complete', async () => {
    await beginWorld(dir);
    assert.deepEqual(await readWorld(dir), { kind: 'half-written' });
    const companies = await planCompanies();
    await completeWorld(dir, companies);
    const state = await readWorld(dir);
    assert.ok(state.kind === 'complete');
    assert.deepEqual(state.world.companies, companies);
  });

  it('leaves a folder with other things in it alone', async () => {
    await mkdir(dir);
    await writeFile(join(dir, 'thesis.txt'), 'precious');
    await assert.rejects(readWorld(dir), { code: 'conflict', message: /not a world/ });
  });

  const damaged: [string, string, string][] = [
    ['is no JSON', '{"format":2', 'invalid'],
    ['is null', 'null', 'unsupported'],
    ['is of another version', '{"format":3,"companies":[]}', 'unsupported'],
    ['lacks a company', '{"format":2,"companies":[{"name":"acme"}]}', 'invalid'],
  ];
  for (const [what, text, code] of damaged) {
    it(`says what to do when it ${what}`, async () => {
      await mkdir(dir);
      await writeFile(join(dir, 'world.json'), text);
      await assert.rejects(readWorld(dir), { code, message: /npm run reset/ });
    });
  }
});
