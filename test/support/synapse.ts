/** Whether Synapse can run here; integration tests that need it say so when it cannot. */
import type { Context } from 'mocha';
import { findPython } from '@hyperty/cli';
import { skip } from './skip.ts';

/**
 * Skips the suite, with the reason, when there is no Synapse. Call it first in `before`.
 * @returns the Python that has Synapse
 */
export async function requireSynapse(context: Context): Promise<string> {
  try {
    return await findPython(undefined);
  } catch (error) {
    // Whoever names a Python wants these tests to run.
    if (process.env['HYPERTY_SYNAPSE_PYTHON'] !== undefined) throw error;
    return skip(context, 'there is no Synapse here: node setup.mjs installs it');
  }
}
