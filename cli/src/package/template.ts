/** The folder of a new hyperty, from `cli/templates`. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FabricError } from '@hyperty/runtime';
import { nameField } from '@hyperty/runtime/catalogue';
import { makeFolder } from '../world/folder.ts';

const TEMPLATE = new URL('../../templates/hyperty/', import.meta.url);
const ENDING = '.template';

/**
 * Makes the folder `<parent>/<name>` with a hyperty of that name, its test, and what describes them.
 * @returns the folder and the names of its files
 * @throws FabricError `invalid` for a name that no hyperty may have, `conflict` when there is something of that name
 */
export async function createFromTemplate(
  name: string,
  parent: string,
): Promise<{ readonly folder: string; readonly files: readonly string[] }> {
  if (!nameField.safeParse(name).success)
    throw new FabricError(
      'invalid',
      `${JSON.stringify(name.slice(0, 80))} is no name of a hyperty: lower-case letters, digits and single hyphens, at most 64.`,
    );
  const folder = join(resolve(parent), name);
  await makeFolder(resolve(parent));
  await mkdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new FabricError('conflict', `There is a ${folder} already; nothing is overwritten.`);
  });
  const files: string[] = [];
  for (const template of (await readdir(TEMPLATE)).sort()) {
    const file = template.slice(0, -ENDING.length).replace('NAME', name);
    const text = await readFile(new URL(template, TEMPLATE), 'utf8');
    await writeFile(join(folder, file), text.replaceAll('__NAME__', name), { flag: 'wx' });
    files.push(file);
  }
  return { folder, files };
}
