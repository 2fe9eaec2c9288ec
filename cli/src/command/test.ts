/** `hyperty test [FOLDER]`: runs the tests of a folder with the test runner of Node.js; nothing has to be installed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { FabricError } from '@hyperty/runtime';
import { exitCodes, type ExitCode } from '../exit-code.ts';

const TESTS = '**/*.test.{ts,mts,js,mjs}';
const OURS = extname(import.meta.filename);

/** Ends with 0 when all tests pass, else with 1; the runner prints which. @throws FabricError `not-found` without tests */
export async function test(
  path: string,
  options: { readonly only?: string },
  { signal }: { readonly signal: AbortSignal },
): Promise<ExitCode> {
  const folder = resolve(path);
  const files = await testFilesOf(folder);
  if (files.length === 0)
    throw new FabricError('not-found', `There are no tests in ${folder}: files called NAME.test.ts.`);
  // In a checkout the packages are sources; an author's file finds them as this command does.
  const sources = OURS === '.ts' ? ['--conditions=@hyperty/source'] : [];
  const preload = import.meta.resolve(`../package/test-preload${OURS}`);
  const only = options.only === undefined ? [] : [`--test-name-pattern=${options.only}`];
  const args = [...sources, `--import=${preload}`, '--test', ...only, ...files];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    return code === 0 ? exitCodes.ok : exitCodes.failed;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function testFilesOf(folder: string): Promise<readonly string[]> {
  const stats = await stat(folder).catch(() => undefined);
  if (!stats?.isDirectory()) throw new FabricError('not-found', `There is no folder ${folder}.`);
  const exclude = (name: string): boolean => ['node_modules', 'dist'].includes(name.split('/').at(-1) ?? '');
  const files: string[] = [];
  for await (const file of glob(TESTS, { cwd: folder, exclude })) files.push(file);
  return files.sort();
}
