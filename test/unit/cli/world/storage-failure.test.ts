import assert from 'node:assert/strict';
import { FabricError } from '@hyperty/runtime';
import { explainStorageFailure } from '../../../../cli/src/world/storage-failure.ts';

const failure = (code: string): Error =>
  Object.assign(new Error(`${code}: write`), { code, path: '/w/acme/tls.key' });

describe('storage failure', () => {
  const cases: [string, RegExp][] = [
    ['ENOSPC', /disk is full.*Free some space/],
    ['EDQUOT', /quota/],
    ['EROFS', /read-only.*--dir/],
    ['EACCES', /may not write/],
    ['ENOENT', /missing.*npm run reset/],
  ];
  for (const [code, message] of cases) {
    it(`says what to do about ${code}, and where it happened`, () => {
      const explained = explainStorageFailure(failure(code), '/w');
      assert.match(explained.message, message);
      assert.match(explained.message, /\/w\/acme\/tls\.key/);
      assert.equal(explained.details['errno'], code);
    });
  }

  it('knows that a folder which cannot be made may be on a read-only file system', () => {
    const error = Object.assign(new Error('ENOENT: mkdir'), { code: 'ENOENT', syscall: 'mkdir', path: '/w' });
    assert.match(explainStorageFailure(error, '/w').message, /folder cannot be made.*read-only/);
  });

  it('leaves what is already explained as it is', () => {
    const error = new FabricError('conflict', 'taken');
    assert.equal(explainStorageFailure(error, '/w'), error);
  });
});
