/** The published JSON Schemas are those of the decoders. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import envelope from '@hyperty/runtime/schema/envelope.json' with { type: 'json' };
import frame from '@hyperty/runtime/schema/frame.json' with { type: 'json' };

describe('published schemas', () => {
  it('are what the code says', async function () {
    this.timeout(20_000);
    const program = ['--conditions=@hyperty/source', 'tools/schema.ts', '--check'];
    await promisify(execFile)(process.execPath, program);
  });

  it('are found by the name of the package', () => {
    assert.deepEqual([envelope.title, frame.title], ['Envelope', 'Frame']);
  });
});
