/**
 * Keeps questions to servers that strangers name away from this machine and its networks: addresses that are not public are
 * refused, whatever their name, unless their range is allowed.
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { FabricError } from '@hyperty/runtime';

/** An address to connect to. */
export interface CheckedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Resolves a name or takes an address; what comes out may be connected to. */
export type AddressGuard = (host: string) => Promise<CheckedAddress>;

/** Resolves a name to all its addresses. */
export type LookUp = (
  host: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** IANA's special-purpose address registries: what is not globally reachable, or leads to another family's addresses. */
const NOT_PUBLIC = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/96', '::ffff:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32'],
  ...['2002::/16', '3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
];

/** The ranges of this machine and of private networks, for companies that live there. */
export const privateRanges = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
];

/**
 * Creates the guard.
 * @param allowed ranges that may be connected to although they are not public, `127.0.0.0/8`
 * @throws TypeError when one of them is no range
 */
export function createAddressGuard(
  allowed: readonly string[] = [],
  lookUp: LookUp = (host) => systemLookup(host, { all: true, order: 'verbatim' }),
): AddressGuard {
  const [refusedList, allowedList] = [listOf(NOT_PUBLIC), listOf(allowed)];
  const isRefused = (address: string): boolean => !allowedList(address) && refusedList(address);
  return async (host) => {
    const literal = host.replace(/^\[(.*)\]$/, '$1');
    const found = isIP(literal) === 0 ? await resolve(host, lookUp) : [{ address: literal }];
    const address = found.map((each) => each.address).find((each) => !isRefused(each));
    if (address !== undefined) return { address, family: isIP(address) === 6 ? 6 : 4 };
    const text = `${host} has no public address, and only those are asked; the ranges that may be asked besides are a setting.`;
    throw new FabricError('forbidden', text);
  };
}

async function resolve(host: string, lookUp: LookUp): ReturnType<LookUp> {
  try {
    return await lookUp(host);
  } catch (cause) {
    throw new FabricError('offline', `The name ${host} cannot be resolved.`, { cause });
  }
}

/** One list for each family: a `BlockList` takes IPv4 addresses for members of `::ffff:0:0/96`. */
function listOf(ranges: readonly string[]): (address: string) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    if (isIP(network) === 0 || bits === undefined)
      throw new TypeError(`"${range}" is no range of addresses.`);
    const family = familyOf(network);
    lists[family].addSubnet(network, Number(bits), family);
  }
  return (address) => {
    const family = familyOf(address);
    return lists[family].check(address, family);
  };
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
