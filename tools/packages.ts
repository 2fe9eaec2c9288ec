/**
 * Builds every workspace from nothing, packs it as for publishing, and lets publint and attw ("are the types wrong")
 * look at the tarball: what a stranger would install, not what lies in the checkout.
 */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = dirname(import.meta.dirname);
const OUT = join(ROOT, 'out', 'packages');
const run = promisify(execFile);

interface PackageJson {
  readonly workspaces?: readonly string[];
}

const { workspaces = [] } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;
const problems = await checkAll(workspaces);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

async function checkAll(folders: readonly string[]): Promise<string[]> {
  for (const folder of folders) rmSync(join(ROOT, folder, 'dist'), { recursive: true, force: true });
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  const built = await node(['node_modules/typescript/bin/tsc', '--build']);
  if (built !== undefined) return ['The sources do not compile: npm run check -- types'];
  const found = await Promise.all(folders.map(checkOne));
  return found.flat();
}

async function checkOne(folder: string): Promise<string[]> {
  const packed = await run('npm', ['pack', '--json', '--pack-destination', OUT, '--workspace', folder], {
    cwd: ROOT,
  });
  const tarball = join(OUT, tarballNameIn(packed.stdout));
  const publint = await node(['node_modules/publint/src/cli.js', 'run', tarball, '--strict']);
  const attw = await node([
    'node_modules/@arethetypeswrong/cli/dist/index.js',
    '--profile=esm-only',
    '--format=ascii',
    tarball,
  ]);
  return [publint, attw].flatMap((problem) => (problem === undefined ? [] : [`${folder}: ${problem}`]));
}

/** Older npm prints a list of packages, newer npm an object by name. */
function tarballNameIn(json: string): string {
  const packed = Object.values(JSON.parse(json) as Record<string, { filename: string }>);
  const [first] = packed;
  if (first === undefined) throw new Error(`npm pack has packed nothing: ${json}`);
  return first.filename;
}

/** Runs a program with this Node.js; returns its output when it fails. */
async function node(args: readonly string[]): Promise<string | undefined> {
  try {
    await run(process.execPath, [...args], { cwd: ROOT });
    return undefined;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return `${stdout}${stderr}` || String(error);
  }
}
