/** Folders that this command makes. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder that its owner alone can read, and those above it that are missing. One at a time: `mkdir` of Node.js
 * with `recursive` never ends below `/proc`, where folders cannot be made and parents are said to be missing.
 * @throws the system's error of the first folder that cannot be made
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = resolve(path); !(await exists(folder)); folder = dirname(folder)) missing.unshift(folder);
  for (const folder of missing) await mkdir(folder, { mode: 0o700 }).catch(unlessMadeMeanwhile);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined || path === dirname(path);
}

function unlessMadeMeanwhile(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
