// Step: a Python that Synapse accepts and that can make virtual environments. It cannot be installed from here, only
// found; the advice says what to install. Where Synapse is already installed, its own Python counts.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installCommand } from './platform.mjs';
import { CannotBeHad } from './step.mjs';
import { installedSynapse } from './synapse.mjs';

const oldestMinor = 10;
const probeTimeoutMs = 10_000;

// The system's own choice first, then whatever else is there, newest first.
const candidates = ['python3', ...[14, 13, 12, 11, 10].map((minor) => `python3.${minor}`), 'python'];

// Debian and Ubuntu pack `ensurepip`, without which there is no working virtual environment, apart from Python.
const probe = [
  'import sys',
  'print("%d.%d.%d" % sys.version_info[:3])',
  'print(sys.executable)',
  'import importlib.util as u',
  'print(all(u.find_spec(m) for m in ("venv", "ensurepip")))',
].join('\n');

/** @type {import('./step.mjs').Step} */
export const pythonStep = {
  id: 'python',
  name: 'Python',
  always: false,
  without: 'no Synapse on this machine',
  after: [],

  async check(context) {
    const installed = installedSynapse(context.root);
    if (installed !== undefined) return `Python ${installed.python}`;
    const found = (await findPythons(context)).find(isGoodEnough);
    if (found === undefined) return undefined;
    context.python = found.executable;
    return `Python ${found.version}`;
  },

  async make(context) {
    const found = await findPythons(context);
    const recent = found.find(isRecent);
    if (recent !== undefined) {
      const minor = recent.version.split('.').slice(0, 2).join('.');
      const packages = {
        apt: `python${minor}-venv`,
        dnf: 'python3',
        pacman: 'python',
        apk: 'python3',
        zypper: 'python3',
      };
      throw new CannotBeHad(
        `Python ${recent.version} (${recent.executable}) cannot make virtual environments.`,
        [`Install its venv module: ${installCommand(packages, context.env)}`],
      );
    }
    const seen = found.map((python) => `Python ${python.version} is too old`).join(', ');
    throw new CannotBeHad(`There is no Python 3.${oldestMinor} or newer here${seen && ` (${seen})`}.`, [
      `Install it: ${installCommand(newPython, context.env)}`,
    ]);
  },
};

const newPython = {
  apt: 'python3 python3-venv',
  dnf: 'python3.12',
  pacman: 'python',
  apk: 'python3',
  zypper: 'python312',
  brew: 'python@3.13',
};

/** @typedef {{ version: string, executable: string, makesVenvs: boolean }} Python */

/** @param {Python} python */
const isRecent = ({ version }) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === 3 && minor >= oldestMinor;
};

/** @param {Python} python */
const isGoodEnough = (python) => isRecent(python) && python.makesVenvs;

/**
 * @param {import('./step.mjs').Context} context
 * @returns {Promise<Python[]>}
 */
async function findPythons(context) {
  const answers = await Promise.all(candidates.map((candidate) => ask(candidate, context)));
  return answers.flatMap((answer) => answer ?? []);
}

/**
 * @param {string} candidate
 * @param {import('./step.mjs').Context} context
 * @returns {Promise<Python | undefined>} undefined when there is no such Python, or it does not start
 */
async function ask(candidate, { env, signal }) {
  try {
    const options = { env, signal, timeout: probeTimeoutMs };
    const { stdout } = await promisify(execFile)(candidate, ['-c', probe], options);
    const [version, executable, makesVenvs] = stdout.split('\n').map((line) => line.trim());
    if (!version || !executable) return undefined;
    return { version, executable, makesVenvs: makesVenvs === 'True' };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
