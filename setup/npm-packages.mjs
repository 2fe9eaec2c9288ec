// Step: the npm packages, exactly as the lockfile names them.

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CannotBeHad } from './step.mjs';
import { readJson } from './json-file.mjs';
import { installCommand } from './platform.mjs';
import { runTool, withoutBinFolders } from './tool.mjs';

/**
 * A lockfile, as far as it is read here.
 * @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} Locked
 * @typedef {{ packages: Record<string, Locked> }} Lockfile
 */

/** What to do where npm itself is missing: Debian, for one, packs it apart from Node.js. */
export const npmIsMissing = () => [
  `Install npm: ${installCommand({ apt: 'npm', dnf: 'npm', pacman: 'npm', apk: 'npm', zypper: 'npm', brew: 'node' })}`,
];

/** @type {import('./step.mjs').Step} */
export const npmPackagesStep = {
  id: 'npm',
  name: 'npm packages',
  always: true,
  without: 'nothing of the fabric runs',
  after: [],

  async check({ root }) {
    if (existsSync(begun(root))) return undefined;
    const wanted = readLockfile(root);
    const installed = readInstalled(root);
    if (installed === undefined || !fits(wanted, installed, root)) return undefined;
    return `${Object.keys(installed.packages).length} npm packages`;
  },

  async make(context, say) {
    const { root } = context;
    // The mark stands while npm is at work: what an interrupted npm leaves behind looks whole and is not.
    writeFileSync(begun(root), '');
    const args = [
      'ci',
      '--include=dev',
      '--engine-strict=false',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...patience,
    ];
    await runTool(
      context,
      { command: 'npm', args, ifMissing: npmIsMissing(), env: withoutBinFolders(context.env) },
      say,
    );
    rmSync(begun(root));
    const done = await npmPackagesStep.check(context);
    if (done !== undefined) return done;
    throw new CannotBeHad('npm says that it is done, but node_modules does not fit package-lock.json.', [
      'Delete the folder node_modules and try again; if that does not help, look at `npm config list`.',
    ]);
  },
};

// npm's own figures are a minute of silence before it says that there is no network.
const patience = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];

/** @param {string} root */
const begun = (root) => join(root, '.setup', 'npm-began');

/**
 * @param {string} root
 * @returns {Lockfile}
 */
function readLockfile(root) {
  try {
    return /** @type {Lockfile} */ (readJson(join(root, 'package-lock.json')));
  } catch (cause) {
    throw new CannotBeHad(`package-lock.json cannot be read: ${String(cause)}`, [
      'Restore it: git checkout package-lock.json',
    ]);
  }
}

/**
 * npm's own list of what it has put into node_modules, which it writes last.
 * @param {string} root
 * @returns {Lockfile | undefined}
 */
function readInstalled(root) {
  try {
    return /** @type {Lockfile} */ (readJson(join(root, 'node_modules', '.package-lock.json')));
  } catch {
    return undefined;
  }
}

/**
 * Whether each locked package is there in its locked version. Packages for other platforms may be absent.
 * @param {Lockfile} wanted
 * @param {Lockfile} installed
 * @param {string} root
 */
function fits(wanted, installed, root) {
  return Object.entries(wanted.packages).every(([path, locked]) => {
    if (!path.includes('node_modules/')) return true;
    const present = installed.packages[path];
    if (present === undefined) return locked.optional === true || locked.devOptional === true;
    return (
      present.version === locked.version &&
      present.integrity === locked.integrity &&
      existsSync(join(root, path, 'package.json'))
    );
  });
}
