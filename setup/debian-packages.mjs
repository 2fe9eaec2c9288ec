// Makes the steps for servers and browsers that tests need and that come with the system (redis.mjs, chromium.mjs). Root
// on Debian or Ubuntu gets their packages from apt; anybody else gets the command to type. What is on the path already,
// from wherever, is left alone.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath, installCommand, isExecutable } from './platform.mjs';
import { CannotBeHad } from './step.mjs';
import { runTool, ToolFailed } from './tool.mjs';

/**
 * @typedef {object} DebianPackage
 * @property {string} id
 * @property {string} name         the program's name for people
 * @property {string} without      what will be missing when it cannot be had
 * @property {string[]} programs   any of these on the path will do
 * @property {string} [variable]   of the environment: the path of the program, instead
 * @property {Record<string, string> & { apt: string }} packages  its package for each package manager
 * @property {string} [service]    that the package starts; the set-up keeps it from it
 * @property {string} [snap]       Ubuntu has no package of it, but this snap
 */

/**
 * @typedef {object} Machine
 * @property {string} folder   the root of the file system
 * @property {boolean} isRoot  whether packages may be installed
 */

/**
 * @typedef {import('./step.mjs').Step} Step
 * @typedef {import('./step.mjs').Context} Context
 */

/** @typedef {(command: string, ...args: string[]) => Promise<unknown>} Run */

/** @type {Machine} */
const thisMachine = { folder: '/', isRoot: process.getuid?.() === 0 };

// Other installations are waited for. A configuration file that somebody has changed stays as it is, without a question.
const aptOptions = [...['-o', 'DPkg::Lock::Timeout=120'], ...['-o', 'Dpkg::Options::=--force-confold']];

// States of a package whose installation was interrupted.
const unfinished = ['half-installed', 'unpacked', 'half-configured'];

// Before there was any, or after it was removed.
const notInstalled = ['', 'not-installed', 'config-files'];

/**
 * A step that brings a Debian package, for tests.
 * @param {DebianPackage} wanted
 * @param {Machine} [machine]
 * @returns {Step}
 */
export function createDebianPackageStep(wanted, machine = thisMachine) {
  /** @param {Context} context */
  const check = async (context) => describe(wanted, context.env, machine);
  return {
    id: wanted.id,
    name: wanted.name,
    always: false,
    for: 'tests',
    without: wanted.without,
    after: [],
    check,

    async make(context, say) {
      throwIfOutOfReach(wanted, context.env, machine);
      const env = { ...context.env, DEBIAN_FRONTEND: 'noninteractive' };
      /** @type {Run} */
      const run = (command, ...args) => runTool(context, { command, args, env, ifMissing: [] }, say);
      const isNew = notInstalled.includes(readDpkg(wanted, machine).state);
      const release = holdBack(wanted.service, machine);
      try {
        await install(wanted, machine, run);
      } finally {
        release();
      }
      if (isNew) await disable(wanted.service, machine, run);
      const done = await check(context);
      if (done !== undefined) return done;
      throw new CannotBeHad(`apt-get says that it is done, but ${wanted.programs[0]} is not on the path.`, [
        `Look at: dpkg -L ${wanted.packages.apt}`,
      ]);
    },
  };
}

/**
 * What is there, with its version where dpkg knows it: a browser takes a tenth of a second to tell its own.
 * @param {DebianPackage} wanted
 * @param {NodeJS.ProcessEnv} env
 * @param {Machine} machine
 * @returns {string | undefined}
 */
function describe(wanted, env, machine) {
  const chosen = wanted.variable && env[wanted.variable];
  if (chosen) return isExecutable(chosen) ? `${wanted.name} (${chosen})` : undefined;
  const path = wanted.programs
    .map((program) => findOnPath(program, env))
    .find((found) => found !== undefined);
  if (path === undefined) return undefined;
  const { state, version } = readDpkg(wanted, machine);
  if (unfinished.includes(state)) return undefined;
  const isPackaged = readDpkgFile(machine, 'info', `${wanted.packages.apt}.list`).split('\n').includes(path);
  return isPackaged ? `${wanted.name} ${version}` : `${wanted.name} (${path})`;
}

/**
 * @param {DebianPackage} wanted
 * @param {NodeJS.ProcessEnv} env
 * @param {Machine} machine
 * @throws {CannotBeHad} when it is for a person to install it
 */
function throwIfOutOfReach({ packages, programs, snap, variable }, env, machine) {
  const orChoose = variable ? [`Or set ${variable} to the path of one that is somewhere else.`] : [];
  const chosen = variable && env[variable];
  if (chosen) {
    throw new CannotBeHad(`${variable} names ${chosen}, which cannot be started.`, [
      'Correct it, or remove it from the environment.',
    ]);
  }
  const missing = `There is no ${programs[0]} here.`;
  if (snap && isUbuntu(machine)) {
    throw new CannotBeHad(missing, [
      `Install it: ${machine.isRoot ? '' : 'sudo '}snap install ${snap}`,
      ...orChoose,
    ]);
  }
  if (machine.isRoot && findOnPath('apt-get', env) !== undefined) return;
  throw new CannotBeHad(missing, [`Install it: ${installCommand(packages, env)}`, ...orChoose]);
}

/**
 * Without newer lists of packages at first, since to get them takes long. Whatever is wrong then, an interruption
 * before or lists that are missing or old, is put in order once.
 * @param {DebianPackage} wanted
 * @param {Machine} machine
 * @param {Run} run
 */
async function install(wanted, machine, run) {
  const tryIt = () =>
    run('apt-get', ...aptOptions, 'install', '-y', '--no-install-recommends', wanted.packages.apt);
  try {
    await tryIt();
  } catch (error) {
    passOverToolFailed(error);
    if (isInterrupted(machine)) await run('dpkg', '--force-confold', '--configure', '-a');
    // One source of many that does not answer does no harm.
    await run('apt-get', ...aptOptions, 'update').catch(passOverToolFailed);
    await tryIt();
  }
}

/**
 * Keeps a service from being started by the installation of its package. policy-rc.d is what both invoke-rc.d and
 * deb-systemd-invoke ask (the older trick, RUNLEVEL=1, tells systemd nothing). One of the administrator's own stays.
 * @param {string | undefined} service
 * @param {Machine} machine
 * @returns {() => void} its undo
 */
function holdBack(service, machine) {
  const file = join(machine.folder, 'usr/sbin/policy-rc.d');
  // For this service alone: an update of a library may have to restart others. Those stay as they are without an init,
  // as they do without a policy.
  const policy = `#!/bin/sh
# Of the set-up of a checkout, which removes it.
case "$*" in *${service}*) exit 101 ;; esac
test -e /sbin/init || exit 101
exit 0
`;
  // One of our own has been left by a set-up that was killed.
  const isOurs = !existsSync(file) || readFileSync(file, 'utf8') === policy;
  if (service === undefined || !isOurs) return () => {};
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, policy, { mode: 0o755 });
  return () => rmSync(file, { force: true });
}

/**
 * Keeps a service that has just been installed from starting with the machine, and ends it where the administrator's
 * policy has let it start.
 * @param {string | undefined} service
 * @param {Machine} machine
 * @param {Run} run
 */
async function disable(service, machine, run) {
  if (service === undefined || !existsSync(join(machine.folder, 'run/systemd/system'))) return;
  await run('systemctl', 'disable', '--now', service).catch(passOverToolFailed);
}

/** @param {unknown} error */
function passOverToolFailed(error) {
  if (!(error instanceof ToolFailed)) throw error;
}

/**
 * What dpkg knows of a package; empty texts when nothing.
 * @param {DebianPackage} wanted
 * @param {Machine} machine
 */
function readDpkg({ packages }, machine) {
  const status = `\n${readDpkgFile(machine, 'status')}`;
  const start = status.indexOf(`\nPackage: ${packages.apt}\n`);
  if (start < 0) return { state: '', version: '' };
  const entry = status.slice(start, status.indexOf('\n\n', start));
  return {
    state: /^Status: \S+ \S+ (\S+)$/m.exec(entry)?.[1] ?? '',
    // Without Debian's epoch in front and its revision behind.
    version: /^Version: (?:\d+:)?(.+?)(?:-[^-]*)?$/m.exec(entry)?.[1] ?? '',
  };
}

/**
 * @param {Machine} machine
 * @param {...string} path
 * @returns {string} nothing on a system without dpkg
 */
function readDpkgFile({ folder }, ...path) {
  try {
    return readFileSync(join(folder, 'var/lib/dpkg', ...path), 'utf8');
  } catch {
    return '';
  }
}

/**
 * Whether a dpkg was ended in the midst of its work, with any package; apt-get then refuses to work.
 * @param {Machine} machine
 */
function isInterrupted({ folder }) {
  const journal = join(folder, 'var/lib/dpkg/updates');
  return existsSync(journal) && readdirSync(journal).length > 0;
}

/** @param {Machine} machine */
function isUbuntu({ folder }) {
  const file = join(folder, 'etc/os-release');
  return existsSync(file) && /^ID="?ubuntu"?$/m.test(readFileSync(file, 'utf8'));
}
