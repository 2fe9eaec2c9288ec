/**
 * Finds the Python that has Synapse.
 */
import { access, constants } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FabricError } from '@hyperty/runtime';

/** Environment variable with the path of a Python that has Synapse; it wins over the one in the checkout. */
const PYTHON_VARIABLE = 'HYPERTY_SYNAPSE_PYTHON';

const HERE = dirname(fileURLToPath(import.meta.url));

/**
 * The Python to start Synapse with: `given`, else `$HYPERTY_SYNAPSE_PYTHON`, else the virtual environment `.venv`
 * of the folder the command runs in or of the checkout.
 * @throws FabricError `not-found` that says what to do
 */
export async function findPython(
  given: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const named = given ?? environment[PYTHON_VARIABLE];
  if (named !== undefined && named !== '') {
    if (await isExecutable(named)) return named;
    throw new FabricError(
      'not-found',
      `There is no Python at ${named}. Correct ${PYTHON_VARIABLE} or unset it.`,
    );
  }
  for (const root of [process.cwd(), join(HERE, '..', '..', '..')]) {
    const candidate = join(root, '.venv', 'bin', 'python');
    if (await isExecutable(candidate)) return candidate;
  }
  throw new FabricError(
    'not-found',
    `Synapse is not installed: there is no .venv here. "npm start" in the checkout installs it; or name a Python that has matrix-synapse in ${PYTHON_VARIABLE}.`,
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
