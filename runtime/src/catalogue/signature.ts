/**
 * Signatures of descriptors: Ed25519 (RFC 8032) through Web Crypto. What is signed is a statement
 * `{kind, name, version, sha256, publisher}`, `sha256` being the hash of the whole descriptor without its signature. The
 * descriptor names the package by its hash, so package, constraints and name stand and fall together: nothing old can
 * be passed off as something newer.
 */
import { FabricError } from '../message/error.ts';
import { fromBase64Url, toBase64Url } from './base64.ts';
import type { Descriptor, UnsignedDescriptor } from './descriptor.ts';
import { canonicalJson, sha256Of } from './plain-json.ts';

/** Begins every statement, so that a signature means nothing anywhere else. */
const PURPOSE = 'hyperty catalogue descriptor 1\n';
const KEY_PURPOSE = 'hyperty catalogue key 1\n';

/** A publisher's key pair, as it is kept. */
export interface PublisherKey {
  /** Raw, base64url. */
  readonly publicKey: string;
  /** PKCS #8, base64url. Secret. */
  readonly privateKey: string;
}

/** Makes a key pair. @throws FabricError `unsupported` where Web Crypto has no Ed25519 */
export async function createPublisherKey(): Promise<PublisherKey> {
  const making = crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify']);
  const { publicKey, privateKey } = await unlessUnsupported(making);
  const [raw, pkcs8] = await Promise.all([
    crypto.subtle.exportKey('raw', publicKey),
    crypto.subtle.exportKey('pkcs8', privateKey),
  ]);
  return { publicKey: toBase64Url(new Uint8Array(raw)), privateKey: toBase64Url(new Uint8Array(pkcs8)) };
}

/** Signs a descriptor whose `publisher.publicKey` is that of the key. @throws FabricError `invalid` for a damaged key */
export async function signDescriptor(descriptor: UnsignedDescriptor, key: PublisherKey): Promise<Descriptor> {
  const signature = await sign(await statementOf(descriptor), key);
  return { ...descriptor, signature };
}

/** True when the descriptor's signature is by the key that it names, over everything in it. */
export async function isSignedByPublisher(descriptor: Descriptor): Promise<boolean> {
  const { signature, publisher } = descriptor;
  return verify(await statementOf(descriptor), { signature, publicKey: publisher.publicKey });
}

/** Says with the old key that `next` takes its place for `owner`. */
export const signSuccession = (owner: string, next: string, old: PublisherKey): Promise<string> =>
  sign(successionOf(owner, next), old);

/** True when the old key says so. */
export const isSuccession = (
  { owner, next, signature }: { readonly owner: string; readonly next: string; readonly signature: string },
  oldPublicKey: string,
): Promise<boolean> => verify(successionOf(owner, next), { signature, publicKey: oldPublicKey });

const successionOf = (owner: string, next: string): string => KEY_PURPOSE + canonicalJson({ owner, next });

async function statementOf(descriptor: UnsignedDescriptor | Descriptor): Promise<string> {
  const content = canonicalJson({ ...descriptor, signature: undefined });
  const sha256 = await sha256Of(new TextEncoder().encode(content));
  const { kind, name, version, publisher } = descriptor;
  return PURPOSE + canonicalJson({ kind, name, version, sha256, publisher: publisher.owner });
}

async function sign(statement: string, { privateKey }: PublisherKey): Promise<string> {
  const bytes = fromBase64Url(privateKey);
  const key = await unlessUnsupported(
    crypto.subtle.importKey('pkcs8', bytes ?? new Uint8Array(), { name: 'Ed25519' }, false, ['sign']),
  ).catch((cause: unknown) => {
    throw new FabricError('invalid', "The publisher's key is damaged: it is no Ed25519 key.", { cause });
  });
  const signature = await crypto.subtle.sign({ name: 'Ed25519' }, key, new TextEncoder().encode(statement));
  return toBase64Url(new Uint8Array(signature));
}

async function verify(
  statement: string,
  { signature, publicKey }: { readonly signature: string; readonly publicKey: string },
): Promise<boolean> {
  const [bytes, raw] = [fromBase64Url(signature), fromBase64Url(publicKey)];
  if (!bytes || raw?.length !== 32) return false;
  const importing = crypto.subtle.importKey('raw', raw, { name: 'Ed25519' }, false, ['verify']);
  const key = await unlessUnsupported(importing).catch((error: unknown) => {
    if (error instanceof FabricError) throw error;
    return undefined; // no point of the curve
  });
  if (!key) return false;
  return crypto.subtle.verify({ name: 'Ed25519' }, key, bytes, new TextEncoder().encode(statement));
}

async function unlessUnsupported<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if ((cause as Error).name !== 'NotSupportedError') throw cause;
    throw new FabricError('unsupported', 'This platform has no Ed25519 in Web Crypto, which packages need.', {
      cause,
    });
  }
}
