/**
 * Runs the tests: `npm test -- [PART...] [mocha's options]`. A part is a folder of `test/`, or a path; without one, all
 * run, the quick ones first. Mocha runs in this process, so that Ctrl-C reaches it and tests stop what they started.
 */
import { spawn } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { main } from 'mocha/lib/cli/cli.js';

const PARTS = ['unit', 'contract', 'docs', 'integration', 'fault'];
const COVERAGE = '--coverage';

const given = process.argv.slice(2);
if (given.includes(COVERAGE)) {
  runWithCoverage(given.filter((argument) => argument !== COVERAGE));
} else {
  await runTests(given);
}

async function runTests(argv: readonly string[]): Promise<void> {
  const firstOption = argv.findIndex((argument) => argument.startsWith('-'));
  const asked = firstOption < 0 ? argv : argv.slice(0, firstOption);
  const options = firstOption < 0 ? [] : argv.slice(firstOption);
  const files = (asked.length === 0 ? PARTS : asked).flatMap(testFilesOf);
  if (files.length === 0) {
    console.error(
      `No tests in ${asked.join(' ')}. Parts are: ${PARTS.join(', ')}; a file or folder does as well.`,
    );
    process.exitCode = 2;
    return;
  }
  const strict = process.env['CI'] === undefined ? [] : ['--forbid-only'];
  await main([...strict, ...options, ...files]);
}

function testFilesOf(part: string): string[] {
  const path = PARTS.includes(part) ? `test/${part}` : part;
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  return isFile ? [path] : globSync(`${path}/**/*.test.ts`).toSorted();
}

function runWithCoverage(argv: readonly string[]): void {
  const inside = [process.execPath, ...process.execArgv, import.meta.filename, ...argv];
  const child = spawn(process.execPath, ['node_modules/c8/bin/c8.js', ...inside], { stdio: 'inherit' });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
