import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logExcerpt, markLog } from '../../../../cli/src/world/log-excerpt.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts';

describe('log excerpt', () => {
  let folder: TemporaryFolder;
  let log: string;
  let printed: string;

  beforeEach(async () => {
    folder = await createTemporaryFolder();
    log = join(folder.path, 'homeserver.log');
    printed = join(folder.path, 'console.log');
  });

  afterEach(() => folder.remove());

  it('holds what was logged since the mark as a warning or worse, then what was printed', async () => {
    await writeFile(log, '2026-11-24 ERROR old trouble\n');
    const mark = await markLog(log);
    await appendFile(log, '2026-11-24 INFO all is well\n2026-11-24 WARNING ***** STARTING SERVER *****\n');
    await appendFile(log, '2026-11-24 ERROR new trouble\n');
    await writeFile(printed, 'Traceback\n\nValueError: bad key   \n');
    assert.deepEqual(await logExcerpt(printed, mark), [
      '2026-11-24 ERROR new trouble',
      'Traceback',
      'ValueError: bad key',
    ]);
  });

  it('holds the last fourteen lines of many, none longer than 400 characters', async () => {
    await writeFile(
      printed,
      Array.from({ length: 100 }, (_, n) => `${String(n)} ${'x'.repeat(1000)}`).join('\n'),
    );
    const lines = await logExcerpt(printed, await markLog(log));
    assert.equal(lines.length, 14);
    assert.ok(lines[13]?.startsWith('99 '));
    assert.ok(lines.every((line) => line.length === 400));
  });

  it('holds the places of a Python traceback without their code', async () => {
    const traceback = [
      'Traceback (most recent call last):',
      '  File "/x/key.py", line 64, in decode',
      '    key = SigningKey(key_bytes)',
      '          ^^^^^^^^^^^^^^^^^^^^^',
      '  File "/x/signing.py", line 183, in __init__',
      '    raise ValueError(',
      'ValueError: The seed must be exactly 32 bytes long',
      '  and nothing else',
    ];
    await writeFile(printed, traceback.join('\n'));
    const kept = [0, 1, 4, 6, 7].map((index) => traceback[index]);
    assert.deepEqual(await logExcerpt(printed, await markLog(log)), kept);
  });

  it('is empty when nothing was written, and starts anew when the log was rotated', async () => {
    assert.deepEqual(await logExcerpt(printed, { path: log, offset: 0 }), []);
    await writeFile(log, '2026-11-24 ERROR after rotation\n');
    assert.deepEqual(await logExcerpt(printed, { path: log, offset: 99_999 }), [
      '2026-11-24 ERROR after rotation',
    ]);
  });
});
