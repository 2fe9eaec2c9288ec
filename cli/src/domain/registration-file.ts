/** The registration file, as it was given to the homeserver and to us. */
import { readFile } from 'node:fs/promises';
import { FabricError } from '@hyperty/runtime';
import type { Registration } from '@hyperty/services/domain';
import { parseYaml } from '@hyperty/synapse-config';

/** Reads a registration. @throws FabricError `not-found`, `invalid`; no token is in the message */
export async function readRegistration(path: string): Promise<Registration> {
  const { parseRegistration } = await import('@hyperty/services/domain');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const advice = '"hyperty registration > fabric.yaml" makes one.';
    throw new FabricError('not-found', `The registration ${path} cannot be read. ${advice}`, { cause });
  });
  let content: unknown;
  try {
    content = parseYaml(text);
  } catch {
    throw new FabricError('invalid', `${path} is no YAML.`); // the parser's message shows lines of the file
  }
  return parseRegistration(content, path);
}
