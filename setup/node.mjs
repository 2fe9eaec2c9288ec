// Step: a Node.js that runs the sources as they are. It comes with the npm packages (package `node`); where that one
// cannot be had, the system's own serves when it is new enough.

import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from './json-file.mjs';
import { npmIsMissing } from './npm-packages.mjs';
import { CannotBeHad } from './step.mjs';
import { runTool, withoutBinFolders } from './tool.mjs';

/** @type {import('./step.mjs').Step} */
export const nodeStep = {
  id: 'node',
  name: 'Node.js',
  always: true,
  without: 'nothing of the fabric runs',
  after: ['npm'],

  async check(context) {
    const packaged = join(context.root, 'node_modules', 'node', 'bin', 'node');
    const packagedVersion = versionOf(packaged);
    if (packagedVersion !== undefined) {
      context.node = packaged;
      return `Node.js ${packagedVersion}`;
    }
    if (majorOf(process.versions.node) < neededMajor(context.root)) return undefined;
    context.node = process.execPath;
    return `Node.js ${process.versions.node} (the system's)`;
  },

  async make(context, say) {
    const env = withoutBinFolders(context.env);
    // The package fetches its binary in an install script, which some people switch off for all packages.
    const args = ['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error'];
    await runTool(context, { command: 'npm', args, env, ifMissing: npmIsMissing() }, say);
    const done = await nodeStep.check(context);
    if (done !== undefined) return done;
    const major = neededMajor(context.root);
    throw new CannotBeHad(
      `The npm package of Node.js ${major} does not run on ${process.platform} ${process.arch}.`,
      [
        `Install Node.js ${major} or newer yourself (nvm install ${major}, or nodejs.org) and try again with it.`,
      ],
    );
  },
};

/**
 * @param {string} binary
 * @returns {string | undefined} undefined when it is not there or does not run here
 */
function versionOf(binary) {
  try {
    if (realpathSync(binary) === realpathSync(process.execPath)) return process.versions.node;
    return execFileSync(binary, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .slice(1);
  } catch {
    return undefined;
  }
}

/** @param {string} root */
function neededMajor(root) {
  const found = readJson(join(root, 'package.json'));
  const { devDependencies } = /** @type {{ devDependencies: { node: string } }} */ (found);
  return majorOf(devDependencies.node);
}

/** @param {string} version */
const majorOf = (version) => Number(version.split('.')[0]);
