/**
 * Random secrets of one homeserver and the only way to show one to a person.
 */
import { randomBytes } from 'node:crypto';

/** What a homeserver keeps to itself; new and random for every homeserver, stored only in its configuration. */
export interface HomeserverSecrets {
  /** Lets its holder create accounts through `/_synapse/admin/v1/register`. */
  readonly registrationSharedSecret: string;
  /** Signs short-lived log-in and guest tokens. */
  readonly macaroonSecretKey: string;
  /** Protects Synapse's HTML forms. */
  readonly formSecret: string;
}

/** A secret of 32 random bytes, as 43 characters that are safe in URLs, YAML and headers. */
export function createSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** All secrets of a new homeserver. */
export function createHomeserverSecrets(): HomeserverSecrets {
  return {
    registrationSharedSecret: createSecret(),
    macaroonSecretKey: createSecret(),
    formSecret: createSecret(),
  };
}

/**
 * A secret as it may appear in a terminal or log: its first four characters and `…`.
 * One that is shorter than 16 characters shows none of them.
 */
export function maskSecret(secret: string): string {
  return secret.length < 16 ? '…' : `${secret.slice(0, 4)}…`;
}
