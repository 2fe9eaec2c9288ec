/** The OpenAPI 3.1 description of the REST road, made from the same tables and contracts that serve it. */
import { errorTable, type OperationContract } from '@hyperty/runtime';
import type { Dispatcher } from './dispatcher.ts';
import { jsonSchemaOf } from './rest/input.ts';
import type { Operation, RestBinding } from './service.ts';

/** What stands at its head. */
export interface OpenApiOptions {
  readonly domain: string;
  readonly version: string;
}

type Json = Record<string, unknown>;

const ERROR = { $ref: '#/components/schemas/Error' };
const ACCESS = {
  public: 'Anybody may, without a token too.',
  partner: 'Every proven account of any domain may.',
  company: 'Accounts of this domain alone may.',
};

/** Describes all operations that are found over REST. */
export function createOpenApi(dispatchers: readonly Dispatcher[], { domain, version }: OpenApiOptions): Json {
  const paths: Record<string, Json> = {};
  const schemas: Json = { Error: errorSchema() };
  for (const { service } of dispatchers) {
    const { contract, operations } = service;
    for (const [name, operation] of Object.entries(operations)) {
      const [{ rest }, schema] = [operation, contract.operations[name]];
      if (!rest || !schema) continue;
      const path = `/${contract.service}/v1${rest.path}`.replaceAll(/[:*](\w+)/g, '{$1}');
      const title = `${contract.service}-${name}`;
      const described = describeOperation({ title, operation, rest, schema }, schemas);
      paths[path] = { ...paths[path], [rest.method]: { tags: [contract.service], ...described } };
    }
  }
  return {
    openapi: '3.1.1',
    info: { title: `Services of ${domain}`, version, description: INTRODUCTION },
    servers: [{ url: '/' }],
    tags: dispatchers.map(({ service }) => ({
      name: service.contract.service,
      description: service.description,
    })),
    paths,
    components: { schemas, securitySchemes: SECURITY },
  };
}

const INTRODUCTION =
  'The same operations as over the fabric, with the same checks and errors. Addresses in a path are percent-encoded.';

const SECURITY = {
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'Matrix access token of an account of this domain.',
  },
  partner: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'Matrix OpenID token of another domain: `MatrixOpenID server="partner.example", token="…"`.',
  },
};

interface Described {
  readonly title: string;
  readonly operation: Operation;
  readonly rest: RestBinding;
  readonly schema: OperationContract;
}

function describeOperation({ title, operation, rest, schema }: Described, schemas: Json): Json {
  const input = placed(`${title}-input`, jsonSchemaOf(schema.input));
  const output = placed(`${title}-output`, jsonSchemaOf(schema.output, 'output'));
  schemas[`${title}-input`] = input;
  schemas[`${title}-output`] = output;
  const inPath = [...rest.path.matchAll(/[:*](\w+)/g)].map(([, name = '']) => name);
  const fields = fieldsOf(input).filter(({ name }) => !inPath.includes(name) && name !== rest.rawBody);
  const takesBody = rest.method === 'post' || rest.method === 'put';
  const inQuery = takesBody && rest.rawBody === undefined ? [] : fields;
  const body = takesBody ? bodyOf(rest, input, fields) : undefined;
  const parameters = [
    ...inPath.map((name) => pathParameter(name, fieldsOf(input))),
    ...inQuery.map((field) => queryParameter(field, rest)),
  ];
  const security = [{ accessToken: [] }, ...(operation.access === 'company' ? [] : [{ partner: [] }])];
  return {
    operationId: title,
    summary: operation.summary,
    description: `${ACCESS[operation.access]}${operation.follow ? ' Ask with `Accept: text/event-stream` to follow it.' : ''}`,
    security: operation.access === 'public' ? [{}, ...security] : security,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { content: body } } : {}),
    responses: { 200: { description: 'The output.', content: answerOf(title, operation) }, ...errors() },
  };
}

function answerOf(title: string, { rest, follow }: Operation): Json {
  const schema = { $ref: `#/components/schemas/${title}-output` };
  if (rest?.render) return { '*/*': { schema: { description: 'The bytes.' } } };
  const json = { 'application/json': { schema } };
  const stream = {
    type: 'string',
    description: 'Events `output`, then `update`, each with JSON as its data.',
  };
  return follow ? { ...json, 'text/event-stream': { schema: stream } } : json;
}

interface Field {
  readonly name: string;
  readonly schema: Json;
  readonly isRequired: boolean;
}

function fieldsOf({ properties = {}, required = [] }: Json): readonly Field[] {
  const needed = new Set(required as readonly string[]);
  return Object.entries(properties as Record<string, Json>).map(([name, schema]) => ({
    name,
    schema,
    isRequired: needed.has(name),
  }));
}

const pathParameter = (name: string, fields: readonly Field[]): Json => ({
  name,
  in: 'path',
  required: true,
  schema: fields.find((field) => field.name === name)?.schema ?? { type: 'string' },
});

const queryParameter = ({ name, schema, isRequired }: Field, { lists = [] }: RestBinding): Json => ({
  name,
  in: 'query',
  required: isRequired,
  schema,
  ...(lists.includes(name) ? { style: 'form', explode: false } : {}),
});

function bodyOf({ rawBody }: RestBinding, input: Json, fields: readonly Field[]): Json | undefined {
  if (rawBody !== undefined) return { 'application/octet-stream': { schema: { format: 'binary' } } };
  if (input['properties'] === undefined) return { 'application/json': { schema: input } };
  if (fields.length === 0) return undefined;
  const properties = Object.fromEntries(fields.map(({ name, schema }) => [name, schema]));
  const required = fields.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  const needed = required.length > 0 ? { required } : {};
  return { 'application/json': { schema: { type: 'object', properties, ...needed } } };
}

/** References of a schema lead to where it stands in the document. */
function placed(name: string, schema: Json): Json {
  const { $schema: _dialect, ...rest } = schema;
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, part]): [string, unknown] =>
      key === '$ref' && typeof part === 'string'
        ? [key, part.replace(/^#/, `#/components/schemas/${name}`)]
        : [key, move(part)],
    );
    return Object.fromEntries(entries);
  };
  return move(rest) as Json;
}

const errors = (): Json => ({
  default: { description: 'An error.', content: { 'application/json': { schema: ERROR } } },
});

function errorSchema(): Json {
  const codes = Object.entries(errorTable);
  return {
    type: 'object',
    required: ['errcode', 'error', 'code', 'details'],
    properties: {
      errcode: { type: 'string', description: 'Matrix error code.' },
      error: { type: 'string', description: 'What happened, and what to do.' },
      code: {
        enum: codes.map(([code]) => code),
        description: codes
          .map(([code, { status, meaning }]) => `- \`${code}\` (${status}): ${meaning}`)
          .join('\n'),
      },
      details: { type: 'object', description: 'What helps to act on it: `retryAfterMs`, a limit, a field.' },
    },
  };
}
