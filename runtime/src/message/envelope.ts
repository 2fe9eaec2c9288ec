/**
 * The envelope: one message of the fabric. Types, decoder and the published JSON Schema come from one zod schema.
 * Data from outside is `unknown` until it has passed {@link decodeEnvelope}.
 */
import * as z from 'zod';
import { ADDRESS_PATTERN, MAX_ADDRESS_CHARS, parseAddress, type Address } from './address.ts';
import { decodeError, errorTable, FabricError, type ErrorBody } from './error.ts';
import { TRACEPARENT_PATTERN } from './trace.ts';

/**
 * What an envelope asks for. `event` is fire-and-forget: an XState event for an actor. `execute` is an event that is
 * answered. `read` and `subscribe` ask for a hyperty's snapshot, once or at every change. A type that a receiver does
 * not know is answered with `unsupported`.
 */
export const messageTypes = [
  'create',
  'read',
  'update',
  'delete',
  'subscribe',
  'unsubscribe',
  'execute',
  'forward',
  'response',
  'event',
] as const;

/** One of {@link messageTypes}. */
export type MessageType = (typeof messageTypes)[number];

const addressField = z.string().max(MAX_ADDRESS_CHARS).regex(ADDRESS_PATTERN, 'expected an address');

/** Longest id in characters. */
export const MAX_ID_CHARS = 64;

/** Schema of an envelope; fields that it does not know survive. */
const envelopeSchema = z
  .looseObject({
    id: z.string().min(1).max(MAX_ID_CHARS).describe('UUIDv7, unique per sender'),
    from: addressField.describe('address of the sender'),
    to: addressField.describe('address of the receiver'),
    type: z
      .string()
      .min(1)
      .max(32)
      .describe(`one of ${messageTypes.join(', ')}; others are answered "unsupported"`),
    body: z.unknown().optional().describe('what the type asks for'),
    re: z.string().min(1).max(MAX_ID_CHARS).optional().describe('id of the envelope that this one answers'),
    deadline: z
      .int()
      .nonnegative()
      .optional()
      .describe('epoch milliseconds after which nobody waits any more'),
    trace: z
      .string()
      .regex(TRACEPARENT_PATTERN, 'expected a W3C traceparent')
      .optional()
      .describe('W3C traceparent'),
    seq: z
      .object({
        epoch: z.string().min(8).max(64).describe('random name of the store that the sender lives in'),
        token: z.int().nonnegative().describe('fencing token of the process that runs the sender'),
        number: z.int().nonnegative().describe('grows with each message of the sender'),
      })
      .optional()
      .describe('place of a durable message among those of its sender'),
  })
  .meta({ title: 'Envelope', description: 'One message of the fabric.' });

/** Place of a durable message among those of its sender: what tells a repeat from a new one. */
export interface Sequence {
  /** Random name of the store that the sender lives in. Another one: the sender has lost what it knew. */
  readonly epoch: string;
  /** Fencing token of the process that runs the sender. A lower one: a process that has been replaced. */
  readonly token: number;
  /** Grows with each message of the sender, whoever it is for. */
  readonly number: number;
}

/** One message: `id from to type body`, and optionally `re deadline trace seq`. */
export interface Envelope {
  readonly id: string;
  readonly from: Address;
  readonly to: Address;
  readonly type: MessageType | (string & {});
  readonly body?: unknown;
  readonly re?: string;
  readonly deadline?: number;
  readonly trace?: string;
  readonly seq?: Sequence;
}

/** What a receiver learns of a message besides its body: plain data, safe to keep in a machine's context. */
export type EnvelopeHeader = Pick<Envelope, 'id' | 'from' | 'to' | 'type' | 'deadline' | 'trace'>;

/** The header of an envelope. */
export function headerOf({ id, from, to, type, deadline, trace }: Envelope): EnvelopeHeader {
  const header = { id, from, to, type };
  if (deadline === undefined && trace === undefined) return header;
  return {
    ...header,
    ...(deadline === undefined ? {} : { deadline }),
    ...(trace === undefined ? {} : { trace }),
  };
}

/** Body of a `response`: a provisional (1xx) or final (2xx) value, or an error with its HTTP status as code. */
export type ResponseBody =
  { readonly code: number; readonly value?: unknown } | { readonly code: number; readonly error: ErrorBody };

const responseBodySchema = z.looseObject({ code: z.int().min(100).max(599) });

/**
 * Reads an envelope that came from outside; addresses come out canonical.
 * @throws FabricError `invalid`; its message names the field and what was expected.
 */
export function decodeEnvelope(value: unknown): Envelope {
  const result = envelopeSchema.safeParse(value);
  if (!result.success)
    throw new FabricError('invalid', `Malformed envelope: ${describeIssues(result.error)}.`);
  const { from, to } = result.data;
  return { ...result.data, from: parseAddress(from), to: parseAddress(to) } as Envelope;
}

/** Names the first problems that a schema found: field, expectation. At most three, so a hostile body stays cheap. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map(
      (issue) =>
        `${issue.path.map(String).join('.').slice(0, 100) || 'value'}: ${issue.message.slice(0, 200)}`,
    )
    .join('; ');
}

/** Body of a response that carries a value: final with 200, provisional with 100–199. */
export const valueBody = (value: unknown, code = 200): ResponseBody => ({ code, value });

/** Body of a response that carries a failure. */
export const errorBody = (error: FabricError): ResponseBody => ({
  code: error.status,
  error: error.toJSON(),
});

/** What a response says. */
export type Answer = { readonly kind: 'provisional'; readonly value: unknown } | Outcome;

/** How a request ends. */
export type Outcome =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: FabricError };

/** Reads the body of a response. A malformed one is itself a failure (`invalid`), so that every request ends. */
export function decodeResponse(body: unknown): Answer {
  const parsed = responseBodySchema.safeParse(body);
  if (!parsed.success) {
    return {
      kind: 'error',
      error: new FabricError('invalid', `Malformed response: ${describeIssues(parsed.error)}.`),
    };
  }
  const { code } = parsed.data;
  if (code >= errorTable.invalid.status) return { kind: 'error', error: decodeError(parsed.data['error']) };
  return { kind: code < 200 ? 'provisional' : 'value', value: parsed.data['value'] };
}

/** JSON Schema (2020-12) of an envelope, as published in `runtime/schema/envelope.json`. */
export const envelopeJsonSchema = (): Record<string, unknown> => ({ ...z.toJSONSchema(envelopeSchema) });
