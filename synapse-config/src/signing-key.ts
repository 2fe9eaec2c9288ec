/**
 * The key with which a homeserver signs events and federation requests, in the file format that Synapse reads:
 * one line `ed25519 <version> <seed in unpadded base64>`.
 */
import { generateKeyPairSync, randomInt } from 'node:crypto';

const VERSION_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A new Ed25519 signing key as the text of Synapse's key file, with a key id such as `ed25519:a_kWqz`. */
export function createSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { d: seed } = privateKey.export({ format: 'jwk' });
  if (seed === undefined) throw new TypeError('node:crypto exported an Ed25519 key without its seed');
  const unpaddedBase64 = Buffer.from(seed, 'base64url').toString('base64').replace(/=+$/, '');
  return `ed25519 a_${randomVersion()} ${unpaddedBase64}\n`;
}

function randomVersion(): string {
  return Array.from({ length: 4 }, () => VERSION_LETTERS.charAt(randomInt(VERSION_LETTERS.length))).join('');
}
