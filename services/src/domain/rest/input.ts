/**
 * Puts the input of an operation together from a request: path, query and body. What the query says in text becomes a number
 * or truth value only where the contract wants one; whether the input is right is for the dispatcher to say.
 */
import { FabricError, type OperationContract } from '@hyperty/runtime';
import * as z from 'zod';
import type { RestBinding } from '../service.ts';
import { parseQuery } from './query.ts';

/** What a request says besides its body. */
export interface RequestParts {
  readonly params: Readonly<Record<string, string | readonly string[]>>;
  /** Without `?`; empty when there is none. */
  readonly query: string;
}

/** Puts an input together. @throws FabricError `invalid` */
export type InputReader = (parts: RequestParts, body: object | undefined) => Record<string, unknown>;

type Kind = 'number' | 'boolean' | 'text';
type JsonSchema = Readonly<Record<string, unknown>>;

/** Prepares the reading of one operation's input: its schema is looked at once, here. */
export function createInputReader({ input: schema }: OperationContract, rest: RestBinding): InputReader {
  const kinds = kindsOf(jsonSchemaOf(schema));
  const lists = new Set(rest.lists);
  const add = (input: Record<string, unknown>, name: string, value: unknown): void => {
    if (name in input)
      throw new FabricError('invalid', `"${name.slice(0, 100)}" is given twice: once is enough.`);
    input[name] = value;
  };
  const addQuery = (input: Record<string, unknown>, query: string): void => {
    for (const [name, values] of parseQuery(query)) {
      if (kinds && !kinds.has(name)) throw unknownParameter(name, kinds);
      add(input, name, lists.has(name) ? listOf(values) : coerce(single(name, values), kinds?.get(name)));
    }
  };
  return ({ params, query }, body) => {
    const input = Object.create(null) as Record<string, unknown>;
    for (const name in params) {
      const value = params[name] ?? '';
      const text = typeof value === 'string' ? value : value.join('/');
      input[name] = coerce(text, kinds?.get(name));
    }
    if (body) for (const [name, value] of Object.entries(body)) add(input, name, value);
    if (query !== '') addQuery(input, query);
    return input;
  };
}

/** The JSON Schema of what goes in; what cannot be told in JSON Schema is left open. */
export const jsonSchemaOf = (schema: z.ZodType, io: 'input' | 'output' = 'input'): JsonSchema =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any' });

/** One parameter with commas, or several. */
const listOf = (values: readonly string[]): readonly string[] => {
  const [first = ''] = values;
  return values.length > 1 ? values : first === '' ? [] : first.split(',');
};

function single(name: string, values: readonly string[]): string {
  if (values.length === 1) return values[0] ?? '';
  throw new FabricError('invalid', `"${name}" is given ${values.length} times in the URL: once is enough.`);
}

function coerce(text: string, kind: Kind = 'text'): unknown {
  if (kind === 'number' && /^-?\d{1,20}(\.\d{1,20})?$/.test(text)) return Number(text);
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function unknownParameter(name: string, kinds: ReadonlyMap<string, Kind>): FabricError {
  const known = [...kinds.keys()].join(', ') || 'none';
  return new FabricError(
    'invalid',
    `There is no parameter "${name.slice(0, 100)}" here; there are: ${known}.`,
  );
}

/** Undefined: the schema does not say which fields there are. */
function kindsOf(schema: JsonSchema): ReadonlyMap<string, Kind> | undefined {
  const kinds = new Map<string, Kind>();
  for (const part of alternatives(schema)) {
    if (part['properties'] === undefined) return undefined;
    for (const [name, property] of Object.entries(part['properties'] as Record<string, JsonSchema>)) {
      const types = new Set(alternatives(property).flatMap(({ type }) => type));
      const isText = types.has('string') || types.has(undefined);
      const isNumber = types.has('number') || types.has('integer');
      kinds.set(name, isText ? 'text' : isNumber ? 'number' : types.has('boolean') ? 'boolean' : 'text');
    }
  }
  return kinds;
}

function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const parts = ['anyOf', 'oneOf', 'allOf'].flatMap((word) => (schema[word] ?? []) as readonly JsonSchema[]);
  return parts.length === 0 ? [schema] : parts.flatMap(alternatives);
}
