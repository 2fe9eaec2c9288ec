/**
 * Descriptors: what a catalogue says about a hyperty, a protostub, an identity-provider proxy, a runtime or a data schema.
 * One zod schema gives types, decoder and the published JSON Schema. Unknown fields are refused: what a reader would
 * overlook, a signature must not cover.
 */
import * as z from 'zod';
import { beyondBounds, type JsonBounds } from './plain-json.ts';
import { keywordField, nameField, runtimeKinds, sha256Field, textField, versionField } from './terms.ts';

/** The format that this version writes and understands. */
export const DESCRIPTOR_FORMAT = 1;
/** Bytes of a package at most. */
export const MAX_PACKAGE_BYTES = 4 * 1024 * 1024;

/** Bounds of the JSON Schema in a descriptor. */
const SCHEMA_BOUNDS: JsonBounds = { maxDepth: 24, maxValues: 4000, maxChars: 64 * 1024 };

const base64Url = (chars: number, what: string) =>
  z
    .string()
    .max(chars, { abort: true })
    .regex(new RegExp(`^[A-Za-z0-9_-]{${chars}}$`), `expected ${what} in base64url, ${chars} characters`);

/** An Ed25519 public key (RFC 8032), raw, in base64url. */
export const publicKeyField = base64Url(43, 'an Ed25519 public key');
/** An Ed25519 signature in base64url. */
export const signatureField = base64Url(86, 'an Ed25519 signature');

const words = z.array(keywordField).max(20);

const constraints = z.strictObject({
  /** Where it runs. Absent: everywhere. */
  runtimes: z.array(z.enum(runtimeKinds)).min(1).max(3).optional(),
  /** What a runtime must have: `camera`, `microphone`, `webrtc`, `storage`, or a company's own words. */
  capabilities: words.optional(),
});

const common = {
  formatVersion: z.literal(DESCRIPTOR_FORMAT),
  name: nameField,
  version: versionField,
  description: textField(500),
  license: textField(100).optional(),
  keywords: words.optional(),
  publisher: z.strictObject({
    /** Owner prefix of the publisher's addresses, `acme.example/alice`. */
    owner: textField(400),
    publicKey: publicKeyField,
  }),
  /** By the publisher's key, over the statement that `signature.ts` makes of everything else in the descriptor. */
  signature: signatureField,
};

const code = {
  constraints: constraints.optional(),
  package: z.strictObject({
    sha256: sha256Field,
    size: z.int().min(1).max(MAX_PACKAGE_BYTES),
    /** Name of the export that is used. */
    mainExport: z
      .string()
      .max(64, { abort: true })
      .regex(/^[A-Za-z_$][\w$]*$/, 'expected a name such as default'),
  }),
};

const hyperty = z.strictObject({
  ...common,
  ...code,
  kind: z.literal('hyperty'),
  /** Names of the data schemas that it works with. */
  dataSchemas: z.array(nameField).max(50).optional(),
  /** What it is about: `chat`, `audio`, `video`, … */
  resources: words.optional(),
});

const protostub = z.strictObject({
  ...common,
  ...code,
  kind: z.literal('protostub'),
  /** Schemes or protocols that it speaks. */
  protocols: words.optional(),
  /** True when what is behind it is no fabric. */
  interworking: z.boolean().optional(),
});

const idpProxy = z.strictObject({
  ...common,
  ...code,
  kind: z.literal('idp-proxy'),
  /** Domain of the identity provider. */
  provider: textField(255).optional(),
});

const runtime = z.strictObject({
  ...common,
  kind: z.literal('runtime'),
  runtime: z.strictObject({ kind: z.enum(runtimeKinds), capabilities: words, protocols: words.optional() }),
});

const jsonSchemaField = z.record(z.string(), z.unknown()).superRefine((value, context) => {
  const why = beyondBounds(value, SCHEMA_BOUNDS);
  if (why !== undefined)
    context.addIssue({ code: 'custom', message: `this JSON Schema is not taken: ${why}` });
});

const schema = z.strictObject({
  ...common,
  kind: z.literal('schema'),
  /** JSON Schema (2020-12) of the data. */
  schema: jsonSchemaField,
});

const known = z.discriminatedUnion('kind', [hyperty, protostub, idpProxy, runtime, schema]);

/** A descriptor. Those with code have `package`, a runtime has `runtime`, a data schema `schema`. */
export type Descriptor = z.output<typeof known>;
/** A descriptor that has code. */
export type CodeDescriptor = Extract<Descriptor, { readonly package: unknown }>;
/** Descriptor before it is signed. */
export type UnsignedDescriptor = Descriptor extends infer D
  ? D extends unknown
    ? Omit<D, 'signature'>
    : never
  : never;

/** Descriptor that nobody has put a name to: what a publisher's folder says. */
export type DescriptorDraft = Descriptor extends infer D
  ? D extends unknown
    ? Omit<D, 'publisher' | 'signature'>
    : never
  : never;

const unnamed = { publisher: true, signature: true } as const;

/** Reads drafts of descriptors. */
export const draftField = z.discriminatedUnion('kind', [
  hyperty.omit(unnamed),
  protostub.omit(unnamed),
  idpProxy.omit(unnamed),
  runtime.omit(unnamed),
  schema.omit(unnamed),
]) as z.ZodType<DescriptorDraft, DescriptorDraft>;

/** First the version: a descriptor of a later format is refused for that, not for fields that nobody here can know. */
const format = z.looseObject({
  formatVersion: z.literal(DESCRIPTOR_FORMAT, {
    error: ({ input }) =>
      typeof input === 'number' && input > DESCRIPTOR_FORMAT
        ? `format version ${input} is of a later catalogue; version ${DESCRIPTOR_FORMAT} is understood here`
        : `expected format version ${DESCRIPTOR_FORMAT}`,
  }),
});

/** Reads descriptors from outside. */
export const descriptorField = format.pipe(known as never) as unknown as z.ZodType<Descriptor, Descriptor>;

/** JSON Schema (2020-12) of a descriptor, as published in `runtime/schema/descriptor.json`. */
export const descriptorJsonSchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(known, { io: 'input' }),
  title: 'Descriptor',
  description:
    'What a catalogue says about a hyperty, protostub, identity-provider proxy, runtime or data schema.',
});
