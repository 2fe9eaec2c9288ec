/** A publisher's folder: what its `package.json` says about what is in it. */
import { readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { FabricError } from '@hyperty/runtime';
import { descriptorKinds, type DescriptorKind } from '@hyperty/runtime/catalogue';

/** A folder to publish from. */
export interface Project {
  readonly folder: string;
  /** Its `package.json`. */
  readonly file: string;
  readonly kind: DescriptorKind;
  /** Absolute path of the file with the code, or the JSON Schema; undefined for a runtime. */
  readonly mainFile: string | undefined;
  /** Name of the export that is used. */
  readonly mainExport: string;
  /** Fields of the descriptor, as they stand in `package.json`, unchecked. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Fields that `package.json` has for npm as well. */
const SHARED = ['name', 'version', 'description', 'license', 'keywords'];

/**
 * Reads a publisher's folder. `hyperty` in its `package.json` has `kind`, `main` (a file), `export` (default `default`)
 * and fields of the descriptor.
 * @throws FabricError `not-found` without a `package.json`, `invalid` when it does not say what to publish
 */
export async function readProject(path: string): Promise<Project> {
  const folder = resolve(path);
  const file = join(folder, 'package.json');
  const said = objectOf(parseJson(await readText(file), file));
  const section = said && Object.hasOwn(said, 'hyperty') ? objectOf(said['hyperty']) : undefined;
  if (!said || !section)
    throw new FabricError(
      'invalid',
      `${file} has no "hyperty", which says what to publish: "hyperty": { "kind": "hyperty", "main": "greeter.ts" }.`,
    );
  const { kind: kindText, main, export: mainExport = 'default', ...own } = section;
  const kind = descriptorKinds.find((it) => it === kindText);
  if (kind === undefined)
    throw new FabricError('invalid', `${file}: hyperty.kind is to be one of ${descriptorKinds.join(', ')}.`);
  if (typeof mainExport !== 'string')
    throw new FabricError('invalid', `${file}: hyperty.export is to be the name of an export.`);
  const shared = SHARED.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]] as const]));
  const fields = { ...Object.fromEntries(shared), ...own };
  if (fields['license'] === 'UNLICENSED') delete fields['license'];
  return { folder, file, kind, mainExport, fields, mainFile: mainFileOf(main, { kind, folder, file }) };
}

function mainFileOf(
  main: unknown,
  { kind, folder, file }: Pick<Project, 'kind' | 'folder' | 'file'>,
): string | undefined {
  if (kind === 'runtime' && main === undefined) return undefined;
  if (typeof main !== 'string' || main === '')
    throw new FabricError('invalid', `${file}: hyperty.main is to name the file that is published.`);
  const mainFile = resolve(folder, main);
  if (mainFile.startsWith(folder + sep)) return mainFile;
  throw new FabricError('invalid', `${file}: hyperty.main is ${main}, which is outside of the folder.`);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const advice = 'Make a folder with "hyperty new NAME", and run this in it.';
    throw new FabricError('not-found', `There is no ${file}. ${advice}`, { cause });
  }
}

/** JSON of a file that its author wrote. @throws FabricError `invalid` */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FabricError('invalid', `${file} is no JSON: ${(cause as Error).message}`, { cause });
  }
}

/** A JSON object; undefined for any other value. */
export const objectOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
