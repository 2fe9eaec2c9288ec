/** Start of the two-company world with its proof: into an empty folder, and again into the same one. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, type Figure } from './report.ts';

const run = promisify(execFile);
const HYPERTY = fileURLToPath(new URL('../../cli/bin/hyperty.js', import.meta.url));

/** Cold and warm start, proof included. */
export async function benchWorldStart(): Promise<Figure[]> {
  const dir = await mkdtemp(join(tmpdir(), 'hyperty-bench-'));
  try {
    const cold = await start(dir);
    const warm = [await start(dir), await start(dir), await start(dir)];
    return [
      { name: 'world with its proof, cold start', value: cold, unit: 's' },
      { name: 'world with its proof, warm start', value: median(warm), unit: 's' },
    ];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function start(dir: string): Promise<number> {
  const startedAt = performance.now();
  await run(process.execPath, [HYPERTY, 'up', '--check', '--dir', join(dir, 'world')]);
  return (performance.now() - startedAt) / 1000;
}
