/** Spilling: the body of an envelope that no frame can hold goes through the message node's media store. */
import { FabricError } from '../message/error.ts';
import type { MediaStore } from '../protostub/protostub.ts';
import type { Encoded, Spill } from './entry.ts';

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

const sha256 = async (bytes: Uint8Array): Promise<string> =>
  hex(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));

/**
 * Uploads the body of an envelope and returns the envelope with a reference in its place.
 * @throws FabricError of the media store
 */
export async function spillBody(encoded: Encoded, media: MediaStore, signal: AbortSignal): Promise<Encoded> {
  const bytes = new TextEncoder().encode(encoded.body ?? 'null');
  const [uri, hash] = await Promise.all([media.upload(bytes, { signal }), sha256(bytes)]);
  return { ...encoded, spill: { uri, sha256: hash, bytes: bytes.length } };
}

/**
 * Fetches a spilled body and checks its size and hash before anything reads it.
 * @param domain the peer's domain: content from anywhere else is refused
 * @throws FabricError `too-large` above `maxBytes`, `invalid` when size, hash or JSON do not fit, or the media store's
 */
export async function fetchSpill(
  spill: Spill,
  media: MediaStore,
  limits: { readonly domain: string; readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<unknown> {
  if (spill.bytes > limits.maxBytes) {
    throw new FabricError(
      'too-large',
      `A spilled body has ${spill.bytes} bytes; at most ${limits.maxBytes} are fetched.`,
    );
  }
  const bytes = await media.download(spill.uri, { ...limits, maxBytes: spill.bytes });
  if (bytes.length !== spill.bytes || (await sha256(bytes)) !== spill.sha256) {
    throw new FabricError('invalid', `A spilled body at ${spill.uri} is not what its sender announced.`);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FabricError('invalid', `A spilled body at ${spill.uri} is no JSON.`, { cause });
  }
}
