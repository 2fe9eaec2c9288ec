import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCredentials } from '../../../cli/src/credentials.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';

describe('credentials', () => {
  let folder: TemporaryFolder;

  before(async () => {
    folder = await createTemporaryFolder();
    await writeFile(join(folder.path, 'secret'), 'from a file\n');
  });

  after(() => folder.remove());

  it('are read from options, files and the environment, in this order', async () => {
    const file = join(folder.path, 'secret');
    const environment = { HYPERTY_TOKEN: 'from the environment' };
    assert.deepEqual(await readCredentials({ token: 'given', tokenFile: file }, environment), {
      kind: 'token',
      token: 'given',
    });
    assert.deepEqual(await readCredentials({ tokenFile: file }, environment), {
      kind: 'token',
      token: 'from a file',
    });
    assert.deepEqual(await readCredentials({}, environment), {
      kind: 'token',
      token: 'from the environment',
    });
    assert.deepEqual(await readCredentials({ user: 'alice' }, { HYPERTY_PASSWORD: 'p' }), {
      kind: 'password',
      user: 'alice',
      password: 'p',
    });
    assert.deepEqual(await readCredentials({}, {}), { kind: 'none' });
  });

  it('that do not fit together are refused with what is missing', async () => {
    await assert.rejects(readCredentials({ user: 'alice' }, {}), {
      code: 'invalid',
      message: /--password-file/,
    });
    await assert.rejects(readCredentials({ password: 'p' }, {}), { code: 'invalid', message: /--user/ });
    await assert.rejects(readCredentials({ tokenFile: '/nowhere' }, {}), {
      code: 'not-found',
      message: /\/nowhere/,
    });
  });
});
