/**
 * Addresses: URLs of hyperties, runtimes, users, data objects and services. Pure text; whether something lives
 * at an address, and by which road it is reached, is the business of links and protostubs.
 *
 * An address that belongs to an account carries its owner as the first path segment, so ownership can be checked,
 * and a route be found, without asking anybody: `hyperty://acme.example/alice/chat` may be spoken for by runtimes
 * of alice at acme.example alone. The services of a domain have fixed addresses, `domain://registry.acme.example`, each
 * with an account and a device of its own, so they are reached without a look-up.
 */
import { FabricError } from './error.ts';

declare const brand: unique symbol;

/** A parsed address in its canonical form; made only by {@link parseAddress} and the functions that build on it. */
export type Address = string & { readonly [brand]: 'address' };

/** Address of a runtime: `runtime://<domain>/<owner>/<device>`. One runtime is one device of its owner's account. */
export type RuntimeAddress = Address & { readonly scheme: 'runtime' };

/** Address of a domain's service: `domain://<service>.<domain>`. */
export type ServiceAddress = Address & { readonly scheme: 'domain' };

/** Address of a hyperty: `hyperty://<domain>/<owner>/<name>`. */
export type HypertyAddress = Address & { readonly scheme: 'hyperty' };

/** The parts of an address; path segments are percent-decoded. */
export interface AddressParts {
  readonly scheme: string;
  /** Host and optional port, lower case: for Matrix, the server name. */
  readonly domain: string;
  readonly path: readonly string[];
}

/** Begins the local part of the accounts that only a domain's services may have. */
export const SERVICE_OWNER_PREFIX = '_hyperty_';

/** The device of each service's account that is read by whichever process serves it. */
export const SERVICE_DEVICE = 'hyperty';

/** Longest address in characters. */
export const MAX_ADDRESS_CHARS = 512;

/**
 * The grammar: scheme (RFC 3986 §3.1, lower case), host with optional port (Matrix server-name grammar),
 * then non-empty path segments of unreserved, sub-delim and percent-encoded characters.
 */
export const ADDRESS_PATTERN =
  /^([a-z][a-z0-9+.-]*):\/\/((?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?)((?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*)$/;

const SERVICE = /^domain:\/\/([a-z0-9][a-z0-9-]*)\.([^/]+)$/;

const DOTS = /^\.{1,2}$/;

/**
 * Reads an address and brings it to canonical form (domain in lower case, minimal percent-encoding).
 * @throws FabricError `invalid` when the text is no address; the message says which part is wrong.
 */
export function parseAddress(text: string): Address {
  return formatAddress(addressParts(text));
}

/**
 * Splits an address into its parts.
 * @throws FabricError `invalid` when the text is no address.
 */
export function addressParts(text: string): AddressParts {
  if (text.length > MAX_ADDRESS_CHARS)
    throw notAnAddress(text, `it is longer than ${MAX_ADDRESS_CHARS} characters`);
  const match = ADDRESS_PATTERN.exec(lowerDomain(text));
  if (!match)
    throw notAnAddress(
      text,
      'expected scheme://domain/owner/name, for instance hyperty://acme.example/alice/chat',
    );
  const [, scheme = '', domain = '', path = ''] = match;
  const port = /:([0-9]+)$/.exec(domain.replace(/\[.*\]/, ''))?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))
    throw notAnAddress(text, `${port} is no port`);
  return {
    scheme,
    domain,
    path:
      path === ''
        ? []
        : path
            .slice(1)
            .split('/')
            .map((s) => decodeSegment(s, text)),
  };
}

/** Scheme and domain compare without case, so both are lowered; the path is left as it is. */
function lowerDomain(text: string): string {
  const end = text.indexOf('/', text.indexOf('://') + 3);
  return end < 0 ? text.toLowerCase() : text.slice(0, end).toLowerCase() + text.slice(end);
}

function decodeSegment(segment: string, text: string): string {
  try {
    const decoded = decodeURIComponent(segment);
    if (!DOTS.test(decoded) && !/[\u0000-\u001f\u007f]/.test(decoded)) return decoded; // eslint-disable-line no-control-regex -- control characters are what is refused
  } catch (cause) {
    throw notAnAddress(text, `"${segment}" is not valid percent-encoding`, cause);
  }
  throw notAnAddress(text, `"${segment}" is not allowed as a path segment`);
}

function notAnAddress(text: string, why: string, cause?: unknown): FabricError {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return new FabricError('invalid', `"${shown}" is no address: ${why}.`, {
    details: { address: shown },
    cause,
  });
}

/** Writes parts as a canonical address, without checking them again. */
function formatAddress({ scheme, domain, path }: AddressParts): Address {
  return `${scheme}://${domain}${path.map((segment) => `/${encodeSegment(segment)}`).join('')}` as Address;
}

/** Percent-encodes what a segment may not hold; `@ : = +` and the like stay readable. */
const encodeSegment = (segment: string): string =>
  encodeURIComponent(segment).replace(/%(40|3A|3D|2B|24|26|2C|3B)/g, (escape) => decodeURIComponent(escape));

/** True when `text` is an address in canonical form. */
export function isAddress(text: unknown): text is Address {
  if (typeof text !== 'string') return false;
  try {
    return parseAddress(text) === text;
  } catch {
    return false;
  }
}

/**
 * Address of the hyperty `name` that acts for `owner` at `domain`.
 * @throws FabricError `invalid`
 */
export function hypertyAddress(parts: { domain: string; owner: string; name: string }): HypertyAddress {
  return ownedAddress('hyperty', parts.domain, [parts.owner, parts.name]) as HypertyAddress;
}

/**
 * Address of a runtime of `owner` on `device`; the device `*` stands for all of the owner's runtimes.
 * @throws FabricError `invalid`
 */
export function runtimeAddress(parts: { domain: string; owner: string; device: string }): RuntimeAddress {
  return ownedAddress('runtime', parts.domain, [parts.owner, parts.device]) as RuntimeAddress;
}

function ownedAddress(scheme: string, domain: string, segments: readonly string[]): Address {
  const odd = segments.find((segment) => !segment.isWellFormed());
  if (odd !== undefined) throw notAnAddress(odd, 'half a character cannot be encoded');
  const address = parseAddress(`${scheme}://${domain}/${segments.map(encodeSegment).join('/')}`);
  if (addressParts(address).path.length === segments.length) return address;
  throw notAnAddress(address, `"${domain}" is no domain`);
}

/** Owner, domain and device of a runtime. @throws FabricError `invalid` when it is no runtime's address. */
export function runtimeParts(text: string): { domain: string; owner: string; device: string } {
  const { scheme, domain, path } = addressParts(text);
  const [owner, device] = path;
  if (scheme !== 'runtime' || path.length !== 2 || owner === undefined || device === undefined) {
    throw notAnAddress(text, 'expected runtime://domain/owner/device');
  }
  return { domain, owner, device };
}

/**
 * Address of the service `service` (`registry`, `catalogue`, …) of `domain`.
 * @throws FabricError `invalid`; a domain that is an IPv6 literal has no service addresses
 */
export function serviceAddress({ service, domain }: { service: string; domain: string }): ServiceAddress {
  const address = parseAddress(`domain://${service}.${domain}`) as ServiceAddress;
  const parts = serviceParts(address);
  if (parts?.service === service && parts.domain === domain.toLowerCase()) return address;
  throw notAnAddress(address, `"${service}" and "${domain}" name no service of a domain`);
}

/** Service and domain of a service's address; undefined when `address` is another one. */
export function serviceParts(address: Address): { service: string; domain: string } | undefined {
  const match = SERVICE.exec(address);
  return match ? { service: match[1] ?? '', domain: match[2] ?? '' } : undefined;
}

/** The runtime that serves a service's address, by rule; undefined when `address` is another one. */
export function serviceRuntime(address: Address): RuntimeAddress | undefined {
  const parts = serviceParts(address);
  if (!parts) return undefined;
  const owner = `${SERVICE_OWNER_PREFIX}${parts.service}`;
  return runtimeAddress({ domain: parts.domain, owner, device: SERVICE_DEVICE });
}

/** Domain of an address. */
export const domainOf = (address: Address): string => addressParts(address).domain;

/**
 * The owner prefix of an owned address, `domain/owner`, or undefined when the address names no owner
 * (an address that only a registry can resolve). A service is owned by its account.
 */
export function ownerOf(address: Address): string | undefined {
  const service = serviceParts(address);
  if (service) return `${service.domain}/${SERVICE_OWNER_PREFIX}${service.service}`;
  const { scheme, domain, path } = addressParts(address);
  const owner = path[0];
  if (owner === undefined || scheme === 'domain') return undefined;
  return path.length >= 2 || scheme === 'user' ? `${domain}/${encodeSegment(owner)}` : undefined;
}

/** True when the account behind `runtime` owns `address` and so may speak for it. */
export function ownsAddress(runtime: RuntimeAddress, address: Address): boolean {
  const owner = ownerOf(address);
  return owner !== undefined && owner === ownerOf(runtime);
}
