/** A checkout for the tests of the set-up: its programs are real, the tools that it calls are small doubles. */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const ROOT = dirname(dirname(import.meta.dirname));
const POLL_MS = 10;

const LOCKFILE = {
  packages: { '': {}, 'node_modules/kept': { version: '1.0.0', integrity: 'sha512-kept' } },
};

/** npm as it is when all goes well; notes in `npm.log` that it was called. */
export const goodNpm = `
  import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
  appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n');
  mkdirSync('node_modules/kept', { recursive: true });
  writeFileSync('node_modules/kept/package.json', '{}');
  cpSync('package-lock.json', 'node_modules/.package-lock.json');
`;

/** Python as it is when all goes well, in the system and in the virtual environment that it makes. */
export const goodPython = (path: string): string => `
  import { appendFileSync, cpSync, mkdirSync } from 'node:fs';
  const [flag, module, folder] = process.argv.slice(2);
  appendFileSync('python.log', process.argv.slice(2, 5).join(' ').replaceAll('\\n', ';') + '\\n');
  if (flag === '-c') console.log(module.includes('synapse') ? '3.12.1 1.2.3' : '3.12.1\\n${path}\\nTrue');
  if (module === 'venv') {
    mkdirSync(folder + '/bin', { recursive: true });
    cpSync('${path}', folder + '/bin/python');
  }
`;

/** How a run of the set-up ended. */
export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  /** Standard error: what the set-up itself says. */
  readonly said: string;
}

/** A running set-up. */
export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Outcome>;
}

/** See {@link createCheckout}. */
export interface Checkout {
  readonly root: string;
  /** Puts a tool on the path: the text of an ES module. */
  addTool(name: string, code: string): string;
  has(path: string): boolean;
  read(path: string): string;
  write(path: string, text: string): void;
  start(...args: string[]): Running;
  run(...args: string[]): Promise<Outcome>;
  remove(): void;
}

/** Makes a checkout in a folder with a space in its name; on its path there is nothing but the tools that are added. */
export function createCheckout(): Checkout {
  const base = mkdtempSync(join(tmpdir(), 'set up '));
  const root = join(base, 'checkout');
  const bin = join(base, 'bin');
  const at = (path: string): string => join(root, path);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  mkdirSync(bin);
  cpSync(join(ROOT, 'setup'), at('setup'), { recursive: true });
  cpSync(join(ROOT, 'setup.mjs'), at('setup.mjs'));
  write('package.json', JSON.stringify({ type: 'module', devDependencies: { node: '24.0.0' } }));
  write('package-lock.json', JSON.stringify(LOCKFILE));
  write('synapse-config/requirements.txt', 'matrix-synapse==1.2.3\n');

  const start = (...args: string[]): Running => startSetup(root, bin, args);
  return {
    root,
    addTool: (name, code) => addTool(join(bin, name), code),
    has: (path) => existsSync(at(path)),
    read: (path) => readFileSync(at(path), 'utf8'),
    write,
    start,
    run: (...args) => start(...args).ended,
    remove: () => {
      rmSync(base, { recursive: true });
    },
  };
}

/** Waits until `condition` holds: for what another process does, which no clock of ours turns. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(POLL_MS);
}

function addTool(path: string, code: string): string {
  writeFileSync(`${path}.mjs`, code);
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${path}.mjs' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

function startSetup(root: string, bin: string, args: readonly string[]): Running {
  const child = spawn(process.execPath, [join(root, 'setup.mjs'), ...args], {
    cwd: root,
    env: { PATH: bin },
  });
  let out = '';
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, out, said });
    });
  });
  return { process: child, ended };
}
