/**
 * `world.json`: what was decided when a world was made. It is written last, so a world without it is half-written.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FabricError } from '@hyperty/runtime';
import { writeFileAtomically } from '@hyperty/synapse-config';
import { companyNames, type Company } from './company.ts';

/** The content of `world.json`. */
export interface WorldFile {
  /** Raised when worlds made before cannot be used any more. */
  readonly format: 2;
  readonly createdAt: string;
  readonly companies: readonly Company[];
}

/** What is found in a world's folder. */
export type WorldState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'half-written' }
  | { readonly kind: 'complete'; readonly world: WorldFile };

/** Names of what a world's folder holds; everything else in it is not ours. */
export const worldPaths = (dir: string) => ({
  /** Says that this folder is a world; written first. */
  marker: join(dir, '.hyperty-world'),
  world: join(dir, 'world.json'),
  lock: join(dir, 'up.lock'),
  ca: join(dir, 'ca.crt'),
});

/**
 * Looks at a world's folder.
 * @throws FabricError `conflict` when the folder holds something else, `unsupported` for another version's world,
 * `invalid` when `world.json` was damaged
 */
export async function readWorld(dir: string): Promise<WorldState> {
  const paths = worldPaths(dir);
  const text = await readIfThere(paths.world);
  if (text !== undefined) return { kind: 'complete', world: parseWorldFile(text, paths.world) };
  if ((await readIfThere(paths.marker)) !== undefined) return { kind: 'half-written' };
  const names = await readdir(dir).catch(ignoreMissing);
  if (names?.some((name) => !name.startsWith('up.lock')) === true) {
    throw new FabricError(
      'conflict',
      `${dir} holds files that are not a world. Choose an empty folder with --dir.`,
    );
  }
  return { kind: 'absent' };
}

/** Marks a folder as a world that is being made. */
export async function beginWorld(dir: string): Promise<void> {
  await writeFileAtomically(
    worldPaths(dir).marker,
    'A local two-company world of the hyperty command. It can be deleted while it is not running.\n',
  );
}

/** Marks a world as complete. */
export async function completeWorld(dir: string, companies: readonly Company[]): Promise<void> {
  const world: WorldFile = { format: 2, createdAt: new Date().toISOString(), companies };
  await writeFileAtomically(worldPaths(dir).world, `${JSON.stringify(world, null, 2)}\n`);
}

function parseWorldFile(text: string, path: string): WorldFile {
  const remedy = 'Delete the folder (npm run reset) to have it made anew.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FabricError('invalid', `${path} is damaged: it is not JSON. ${remedy}`, { cause });
  }
  const { format, companies } = (value ?? {}) as Partial<Record<keyof WorldFile, unknown>>;
  if (format !== 2) {
    throw new FabricError(
      'unsupported',
      `${path} is of another version (format ${String(format)}, not 2). ${remedy}`,
    );
  }
  if (
    !Array.isArray(companies) ||
    !companyNames.every((name) => companies.some((it) => isCompany(it, name)))
  ) {
    throw new FabricError('invalid', `${path} is damaged: a company is missing or incomplete. ${remedy}`);
  }
  return value as WorldFile;
}

function isCompany(value: unknown, name: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const company = value as Record<string, unknown>;
  return (
    company['name'] === name &&
    ['serverName', 'baseUrl', 'person'].every((key) => typeof company[key] === 'string') &&
    ['clientPort', 'federationPort', 'servicesPort'].every((key) => Number.isInteger(company[key]))
  );
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(ignoreMissing);
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}
