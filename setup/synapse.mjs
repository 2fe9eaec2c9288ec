// Step: the Synapse homeserver from PyPI, in a virtual environment inside the checkout. Its version stands in one
// place, synapse-config/requirements.txt.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from './json-file.mjs';
import { CannotBeHad } from './step.mjs';
import { runTool } from './tool.mjs';

/** @type {import('./step.mjs').Step} */
export const synapseStep = {
  id: 'synapse',
  name: 'Synapse',
  always: false,
  without: 'no homeserver on this machine: the world does not start, tests that need one are skipped',
  after: ['python'],

  async check({ root }) {
    const installed = installedSynapse(root);
    return installed && `Synapse ${installed.synapse}`;
  },

  async make(context, say) {
    const { root, python } = context;
    if (python === undefined) throw new CannotBeHad('Synapse needs Python.', []);
    // What an interrupted pip leaves behind cannot be trusted. The downloads are in pip's cache.
    rmSync(venvOf(root), { recursive: true, force: true });
    const env = pipEnvironment(context.env);
    say('making a virtual environment in .venv');
    await runTool(context, { command: python, args: ['-m', 'venv', venvOf(root)], env, ifMissing: [] }, say);
    const own = join(venvOf(root), 'bin', 'python');
    const install = ['-m', 'pip', 'install', '--no-user', '--prefer-binary', '--disable-pip-version-check'];
    const args = [...install, '--progress-bar=off', '-r', requirementsOf(root)];
    await runTool(context, { command: own, args, env, ifMissing: [] }, say);
    const versions = await askVersions(context, own);
    writeFileSync(stampOf(root), JSON.stringify({ ...versions, ...whatStampsDependOn(root) }));
    return `Synapse ${versions.synapse}`;
  },
};

/** @typedef {Record<string, string> & { synapse: string, python: string }} Stamp */

/**
 * The finished installation in the checkout, or undefined when there is none, or one of another version, or one that
 * was made elsewhere, or with a Python that has gone.
 * @param {string} root
 * @returns {{ synapse: string, python: string } | undefined}
 */
export function installedSynapse(root) {
  try {
    const stamp = /** @type {Stamp} */ (readJson(stampOf(root)));
    const fits = Object.entries(whatStampsDependOn(root)).every(([name, value]) => stamp[name] === value);
    return fits ? { synapse: stamp.synapse, python: stamp.python } : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} root */
const venvOf = (root) => join(root, '.venv');

/** @param {string} root */
const requirementsOf = (root) => join(root, 'synapse-config', 'requirements.txt');

// Inside the virtual environment, so that it goes when that is deleted; written last.
/** @param {string} root */
const stampOf = (root) => join(venvOf(root), 'complete.json');

/**
 * @param {string} root
 * @returns {Record<string, string>}
 */
function whatStampsDependOn(root) {
  const requirements = readFileSync(requirementsOf(root));
  return {
    requirements: createHash('sha256').update(requirements).digest('hex'),
    folder: venvOf(root),
    interpreter: realpathSync(join(venvOf(root), 'bin', 'python')),
  };
}

/**
 * @param {import('./step.mjs').Context} context
 * @param {string} python
 */
async function askVersions(context, python) {
  const script = 'import platform, synapse; print(platform.python_version(), synapse.__version__)';
  const env = pipEnvironment(context.env);
  const output = await runTool(
    context,
    { command: python, args: ['-c', script], env, ifMissing: [] },
    () => {},
  );
  const [version, synapse] = output.at(-1)?.split(' ') ?? [];
  if (version && synapse && existsSync(python)) return { python: version, synapse };
  throw new CannotBeHad('pip says that it is done, but Synapse does not answer.', [
    'pip may be configured to install elsewhere; look at `pip config list`.',
  ]);
}

/**
 * Without the settings that make pip or Python look or install outside the virtual environment. Proxies, indexes and
 * certificates stay as the person has configured them.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
function pipEnvironment(env) {
  const outside = [
    'PIP_USER',
    'PIP_TARGET',
    'PIP_PREFIX',
    'PIP_ROOT',
    'PYTHONHOME',
    'PYTHONPATH',
    'VIRTUAL_ENV',
  ];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !outside.includes(name)));
}
