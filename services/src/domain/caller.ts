/** Who calls a service, however the call came: over the fabric or over REST. */
import { addressParts, ownerOf, runtimeAddress, type Address } from '@hyperty/runtime';

/** A proven caller. */
export interface Caller {
  /** Matrix user id, `@alice:acme.example`. */
  readonly userId: string;
  /** The caller's owner prefix in addresses, `acme.example/alice`. */
  readonly owner: string;
  /** The caller's domain. */
  readonly domain: string;
  /** True for accounts of the domain that is called. */
  readonly isLocal: boolean;
  readonly road: 'fabric' | 'rest';
  /** Who spoke over the fabric: a hyperty or a runtime of the caller. */
  readonly address?: Address;
}

/** The caller behind an address that a link has proven. @param home the domain that is called */
export function callerAt(address: Address, home: string): Caller {
  const { domain, path } = addressParts(address);
  const localpart = path[0] ?? '';
  return { ...callerOf({ domain, localpart, home }), road: 'fabric', address };
}

/** The caller behind a Matrix account that a homeserver has vouched for. */
export function callerFor(userId: string, home: string): Caller {
  const separator = userId.indexOf(':');
  const [localpart, domain] = [userId.slice(1, separator), userId.slice(separator + 1)];
  return { ...callerOf({ domain, localpart, home }), road: 'rest' };
}

function callerOf({ domain, localpart, home }: { domain: string; localpart: string; home: string }) {
  return {
    userId: `@${localpart}:${domain}`,
    owner: ownerOf(runtimeAddress({ domain, owner: localpart, device: '*' })) ?? '',
    domain,
    isLocal: domain === home,
  };
}
