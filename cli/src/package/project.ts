/** A publisher's folder: what its `package.json` says about what is in it. */
import { readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import * as z from 'zod';
import { FabricError, parseBy } from '@hyperty/runtime';

const words = z.array(z.string()).optional();

const settings = {
  /** The file with the code, or with the JSON Schema. */
  main: z.string().min(1),
  /** Default: what the definition says, or else `package.json`. */
  description: z.string().optional(),
};

const code = {
  ...settings,
  /** Name of the export. Default: `default`. */
  export: z.string().default('default'),
  runtimes: z.array(z.enum(['node', 'browser', 'phone'])).optional(),
  capabilities: words,
};

/** `hyperty` in a `package.json`. */
const sectionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...code, kind: z.literal('hyperty'), dataSchemas: words, resources: words }),
  z.strictObject({
    ...code,
    kind: z.literal('protostub'),
    protocols: words,
    interworking: z.boolean().optional(),
  }),
  z.strictObject({ ...code, kind: z.literal('idp-proxy'), provider: z.string().optional() }),
  z.strictObject({ ...settings, kind: z.literal('schema') }),
]);

const packageSchema = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  description: z.string().optional(),
  license: z.string().optional(),
  keywords: words,
  hyperty: sectionSchema,
});

/** What `package.json` says to the catalogue. */
export type ProjectSection = z.output<typeof sectionSchema>;

/** A folder to publish from. */
export interface Project extends z.output<typeof packageSchema> {
  readonly folder: string;
  /** Absolute path of `hyperty.main`. */
  readonly mainFile: string;
}

/**
 * Reads a publisher's folder.
 * @throws FabricError `not-found` without a `package.json`, `invalid` or `schema` when it does not say what to publish
 */
export async function readProject(path: string): Promise<Project> {
  const folder = resolve(path);
  const file = join(folder, 'package.json');
  const value = parseJson(await readText(file), file);
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'hyperty'))
    throw new FabricError(
      'invalid',
      `${file} has no "hyperty", which says what to publish: "hyperty": { "kind": "hyperty", "main": "greeter.ts" }.`,
    );
  const said = parseBy(packageSchema, value, file);
  const mainFile = resolve(folder, said.hyperty.main);
  if (!mainFile.startsWith(folder + sep))
    throw new FabricError(
      'invalid',
      `${file}: hyperty.main is ${said.hyperty.main}, which is outside of the folder.`,
    );
  return { ...said, folder, mainFile };
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
