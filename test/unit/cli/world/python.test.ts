import assert from 'node:assert/strict';
import { findPython } from '../../../../cli/src/world/python.ts';

describe('the Python that has Synapse', () => {
  it('is the one that was given, before the one in the environment', async () => {
    assert.equal(
      await findPython(process.execPath, { HYPERTY_SYNAPSE_PYTHON: '/nowhere' }),
      process.execPath,
    );
    assert.equal(await findPython(undefined, { HYPERTY_SYNAPSE_PYTHON: process.execPath }), process.execPath);
  });

  it('that is named and not there is an error that names it', async () => {
    const expected = { code: 'not-found', message: /no Python at \/nowhere.*HYPERTY_SYNAPSE_PYTHON/ };
    await assert.rejects(findPython(undefined, { HYPERTY_SYNAPSE_PYTHON: '/nowhere' }), expected);
  });
});
