// How software is installed on the machine at hand: the exact command, for the advice that the steps give.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @type {readonly [manager: string, program: string, command: string][]} */
const managers = [
  ['apt', 'apt-get', 'apt-get install -y'],
  ['dnf', 'dnf', 'dnf install -y'],
  ['pacman', 'pacman', 'pacman -S --noconfirm'],
  ['apk', 'apk', 'apk add'],
  ['zypper', 'zypper', 'zypper install -y'],
  ['brew', 'brew', 'brew install'],
];

/**
 * The command that installs a package here, e.g. `sudo apt-get install -y python3-venv`.
 * @param {Record<string, string>} names  the package's name for each package manager
 * @param {NodeJS.ProcessEnv} [env]
 */
export function installCommand(names, env = process.env) {
  const found = managers.find(
    ([manager, program]) => names[manager] !== undefined && findOnPath(program, env) !== undefined,
  );
  if (found === undefined) return `with your system's package manager (Debian calls it ${names['apt']})`;
  const [manager, , command] = found;
  const sudo = manager === 'brew' || process.getuid?.() === 0 ? '' : 'sudo ';
  return `${sudo}${command} ${names[manager]}`;
}

/**
 * The path of a program, or undefined when it is in no folder of the path.
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 */
export function findOnPath(program, env) {
  const folders = (env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
