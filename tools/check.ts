/**
 * Everything that CI checks, in CI's order: `npm run check [-- NAME...]`. The quick checks all run, so that one run
 * names everything that is wrong; the tests run last, and only when the rest is in order.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { runCommand } from '../setup/command.mjs';

interface Check {
  readonly name: string;
  /** What it makes sure of. */
  readonly about: string;
  /** A file of ours, or a package's program, and its arguments; Node.js runs it. */
  readonly program: string;
  readonly args: readonly string[];
}

const ROOT = dirname(import.meta.dirname);
const bin = (path: string): string => join('node_modules', path);

const CHECKS: readonly Check[] = [
  {
    name: 'format',
    about: 'Prettier',
    program: bin('prettier/bin/prettier.cjs'),
    args: ['--check', '--log-level=warn', '.'],
  },
  {
    name: 'lint',
    about: 'ESLint with types',
    program: bin('eslint/bin/eslint.js'),
    args: ['--max-warnings=0', '.'],
  },
  {
    name: 'imports',
    about: 'who imports whom, no cycles',
    program: bin('dependency-cruiser/bin/dependency-cruiser.mjs'),
    args: ['--config=.dependency-cruiser.mjs', '.'],
  },
  {
    name: 'unused',
    about: 'unused files, exports, dependencies',
    program: bin('knip/bin/knip.js'),
    args: [],
  },
  { name: 'types', about: 'TypeScript', program: bin('typescript/bin/tsc'), args: ['--build'] },
  { name: 'packages', about: 'what would be published', program: 'tools/packages.ts', args: [] },
  { name: 'size', about: 'the browser entry', program: bin('size-limit/bin.js'), args: [] },
  { name: 'tests', about: 'all tests', program: 'tools/test.ts', args: [] },
];

process.exitCode = await main(process.argv.slice(2));

async function main(asked: readonly string[]): Promise<number> {
  const unknown = asked.find((name) => !CHECKS.some((check) => check.name === name));
  if (unknown !== undefined) {
    console.error(`There is no check "${unknown}". They are:`);
    for (const { name, about } of CHECKS) console.error(`  ${name.padEnd(9)} ${about}`);
    return 2;
  }
  const chosen = asked.length === 0 ? CHECKS : CHECKS.filter(({ name }) => asked.includes(name));
  const failed: string[] = [];
  for (const check of chosen.filter(({ name }) => name !== 'tests')) {
    if (!(await runQuietly(check))) failed.push(check.name);
  }
  const tests = chosen.find(({ name }) => name === 'tests');
  if (failed.length > 0) {
    console.log(`Failed: ${failed.join(', ')}.${tests === undefined ? '' : ' The tests have not run.'}`);
    if (tests !== undefined) console.log(`0 passed, ${failed.length} failed`);
    return 1;
  }
  if (tests === undefined) return 0;
  return runCommand({ root: ROOT, env: process.env, node: process.execPath }, [tests.program, ...tests.args]);
}

/** Runs a check; shows its output only when it fails. */
async function runQuietly({ name, about, program, args }: Check): Promise<boolean> {
  const began = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.on('close', (code) => {
    resolve(code === 0);
  });
  const passed = await promise;
  const took = `${((performance.now() - began) / 1000).toFixed(1)} s`;
  console.log(`${passed ? '+' : '!'} ${name.padEnd(9)} ${about} (${took})`);
  if (!passed) console.log(Buffer.concat(output).toString());
  return passed;
}
