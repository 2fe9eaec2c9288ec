/**
 * Entries: envelopes as a data frame carries them. A frame's entries are one JSON text, so that the homeserver sees an
 * opaque string: numbers with fractions, NUL characters, lone surrogates and deep nesting pass unharmed. An entry
 * leaves out `from`, `to` and `type` when they are the same as in the entry before it. `spill` and `again` belong to the
 * entry, not to the envelope.
 */
import * as z from 'zod';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';

/** Where a large envelope was put, instead of its body. */
export const spillSchema = z.object({
  uri: z.string().max(1024),
  /** SHA-256 of the bytes, lower-case hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().positive(),
});

/** Reference to spilled content: the JSON text of an envelope's body, in the media store. */
export type Spill = z.infer<typeof spillSchema>;

/** An envelope ready to be written: its body is JSON text already, or has been spilled. */
export interface Encoded {
  readonly envelope: Envelope;
  /** JSON text of the body; undefined when there is none. */
  readonly body: string | undefined;
  readonly spill?: Spill;
  /** It was sent to an earlier life of the peer, which may have handled it. */
  readonly again?: boolean;
}

/**
 * Turns a body into JSON text, once, when it is accepted for sending; later changes to the object do no harm.
 * @throws FabricError `invalid` when the body is no JSON (a cycle, a BigInt), `too-large` above `maxBytes`
 */
export function encodeBody(envelope: Envelope, maxBytes: number): Encoded {
  let body: string | undefined;
  try {
    body = envelope.body === undefined ? undefined : JSON.stringify(envelope.body);
  } catch (cause) {
    throw new FabricError(
      'invalid',
      `The body for ${envelope.to} cannot be written as JSON: ${(cause as Error).message}.`,
      { cause },
    );
  }
  const bytes = body === undefined ? 0 : utf8Bytes(body, maxBytes);
  if (bytes > maxBytes) {
    throw new FabricError(
      'too-large',
      `The body for ${envelope.to} has ${bytes} bytes; at most ${maxBytes} can be sent. Send a file instead.`,
      { details: { bytes, maxBytes } },
    );
  }
  return { envelope, body };
}

/** UTF-8 bytes of a text; exact only where it matters, near and above `limit`. */
function utf8Bytes(text: string, limit: number): number {
  return text.length * 3 <= limit ? text.length : new TextEncoder().encode(text).length;
}

/** Writes one entry after `previous` (the envelope before it in the same frame). */
export function encodeEntry(
  { envelope, body, spill, again }: Encoded,
  previous: Envelope | undefined,
): string {
  const { from, to, type, body: _body, ...rest } = envelope;
  const head: Record<string, unknown> = rest;
  if (previous?.from !== from) head['from'] = from;
  if (previous?.to !== to) head['to'] = to;
  if (previous?.type !== type) head['type'] = type;
  if (spill) head['spill'] = spill;
  if (again) head['again'] = true;
  const text = JSON.stringify(head);
  return body === undefined || spill ? text : `${text.slice(0, -1)},"body":${body}}`;
}

/**
 * Reads the entries of a frame; each comes back complete but otherwise unchecked.
 * @throws FabricError `invalid` when the text is no JSON array of objects
 */
export function decodeEntries(text: string): Record<string, unknown>[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new FabricError('invalid', 'The entries of a frame are no JSON.', { cause });
  }
  if (!Array.isArray(parsed)) throw new FabricError('invalid', 'The entries of a frame are no array.');
  let previous: Record<string, unknown> = {};
  return parsed.map((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null)
      throw new FabricError('invalid', 'An entry is no object.');
    const { from, to, type } = previous;
    previous = { from, to, type, ...entry };
    return previous;
  });
}

/** Bytes that `text` takes inside a JSON string: UTF-8, with `"` and `\` escaped. */
export function escapedBytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === 0x22 || unit === 0x5c) bytes += 2;
    else if (unit < 0x20) bytes += 6;
    else if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xe000) bytes += 6;
    else bytes += 3;
  }
  return bytes;
}
