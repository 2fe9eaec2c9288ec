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

/** What a fetched body must keep to. */
interface FetchLimits {
  /** The peer's domain: content from anywhere else is refused. */
  readonly domain: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Fetches a spilled body from the first of `stores` that has it, and checks size and hash before anything reads it.
 * @throws FabricError `too-large` above `maxBytes`, `unsupported` without a store, `invalid` when size, hash or JSON do
 *   not fit, or the last store's
 */
export async function fetchSpill(
  spill: Spill,
  stores: readonly MediaStore[],
  limits: FetchLimits,
): Promise<unknown> {
  if (spill.bytes > limits.maxBytes) {
    const text = `A spilled body has ${spill.bytes} bytes; at most ${limits.maxBytes} are fetched.`;
    throw new FabricError('too-large', text);
  }
  let failure: FabricError | undefined;
  for (const store of stores) {
    try {
      return await fetchFrom(store, spill, limits);
    } catch (caught) {
      failure = moreTelling(failure, FabricError.from(caught));
    }
  }
  throw (
    failure ?? new FabricError('unsupported', 'No protostub here has a media store to fetch a body from.')
  );
}

/** A store refuses what is not its own. What the right one says counts, above all that it may say more later. */
function moreTelling(known: FabricError | undefined, other: FabricError): FabricError {
  if (known === undefined || known.code === 'forbidden') return other;
  return other.retryable && !known.retryable ? other : known;
}

async function fetchFrom(media: MediaStore, spill: Spill, limits: FetchLimits): Promise<unknown> {
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
