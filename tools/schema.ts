/**
 * Writes the JSON Schemas that the runtime's package ships, from the schemas that its decoders use:
 * `npm run schema`. With `--check` it writes nothing and fails when one is not current.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { descriptorJsonSchema } from '../runtime/src/catalogue/descriptor.ts';
import { frameSchema } from '../runtime/src/link/frame.ts';
import { envelopeJsonSchema } from '../runtime/src/message/envelope.ts';

const FOLDER = join(dirname(import.meta.dirname), 'runtime', 'schema');

const frameJsonSchema = {
  ...z.toJSONSchema(frameSchema, { io: 'input' }),
  title: 'Frame',
  description: 'What two runtimes say to each other below envelopes.',
};

const schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'descriptor.json': descriptorJsonSchema(),
  'envelope.json': envelopeJsonSchema(),
  'frame.json': frameJsonSchema,
};

const isCheck = process.argv.includes('--check');
mkdirSync(FOLDER, { recursive: true });
for (const [name, schema] of Object.entries(schemas)) {
  const path = join(FOLDER, name);
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (!isCheck) writeFileSync(path, text);
  else if (textOf(path) !== text) {
    console.error(`runtime/schema/${name} is not what the code says; write it anew: npm run schema`);
    process.exitCode = 1;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
