/** Where the federation API of a Matrix server is (Server-Server API, "Resolving server names"), without following redirects. */
import { resolveSrv } from 'node:dns/promises';
import { isIP } from 'node:net';
import { FabricError, type Clock } from '@hyperty/runtime';
import type { GuardedGet, ServerTarget } from './guarded-get.ts';

/** Finds the server of a name. @throws FabricError `invalid` when it is no server name */
export type ServerDiscovery = (serverName: string) => Promise<ServerTarget>;

/** What discovery needs. */
export interface ServerDiscoveryOptions {
  readonly get: GuardedGet;
  readonly clock: Clock;
  /** Finds SRV records; rejects when there are none. Default: the system's name servers. */
  readonly resolveSrv?: (name: string) => Promise<readonly SrvRecord[]>;
  /** Port of `.well-known` documents; another one is for tests. Default 443. */
  readonly wellKnownPort?: number;
}

/** Part of an SRV record. */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
}

const DEFAULT_PORT = 8448;
const KEPT_MS = 5 * 60_000;
const MAX_KEPT = 1000;
const SRV_MS = 5000;
const NAME = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,230})(?::(\d{1,5}))?$/i;

/** Creates discovery; what it finds it keeps for five minutes. */
export function createServerDiscovery(options: ServerDiscoveryOptions): ServerDiscovery {
  const kept = new Map<string, { readonly target: ServerTarget; readonly until: number }>();
  const { clock } = options;
  return async (serverName) => {
    const known = kept.get(serverName);
    if (known && known.until > clock.now()) return known.target;
    const target = await discover(serverName, options);
    kept.delete(serverName);
    kept.set(serverName, { target, until: clock.now() + KEPT_MS });
    if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value ?? '');
    return target;
  };
}

async function discover(serverName: string, options: ServerDiscoveryOptions): Promise<ServerTarget> {
  const own = parseServerName(serverName);
  if (own.isFinal) return targetOf(own);
  const delegated = await readWellKnown(own.host, options);
  if (delegated?.isFinal) return targetOf(delegated);
  const { host } = delegated ?? own;
  const record = await firstSrv(host, options);
  if (!record) return targetOf({ host, text: host });
  return { host: record.name, port: record.port, hostHeader: host, certificateName: host };
}

interface ServerName {
  readonly text: string;
  readonly host: string;
  readonly port?: number;
  /** It is an address, or has a port: there is nothing to look for. */
  readonly isFinal: boolean;
}

/** @throws FabricError `invalid` */
export function parseServerName(text: string): ServerName {
  const [, host = '', digits] = NAME.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  const isAddress = isIP(host.replace(/^\[(.*)\]$/, '$1')) > 0;
  const isName = isAddress || !/[[\]:]|\.\.|^[.-]/.test(host);
  if (host === '' || !isName || (port !== undefined && (port < 1 || port > 65_535)))
    throw new FabricError('invalid', `"${text.slice(0, 100)}" is no name of a Matrix server.`);
  return { text, host, isFinal: isAddress || port !== undefined, ...(port === undefined ? {} : { port }) };
}

const targetOf = ({ host, port = DEFAULT_PORT, text }: Omit<ServerName, 'isFinal'>): ServerTarget => ({
  host,
  port,
  hostHeader: text,
  certificateName: host,
});

/** What is not there or makes no sense is passed over, as the specification says; what is refused is not. */
async function readWellKnown(
  host: string,
  { get, wellKnownPort = 443 }: ServerDiscoveryOptions,
): Promise<ServerName | undefined> {
  const target = { host, port: wellKnownPort, hostHeader: host, certificateName: host };
  try {
    const { status, text } = await get(target, '/.well-known/matrix/server');
    if (status !== 200) return undefined;
    const { 'm.server': server } = JSON.parse(text) as { 'm.server'?: unknown };
    return typeof server === 'string' ? parseServerName(server) : undefined;
  } catch {
    return undefined;
  }
}

async function firstSrv(host: string, options: ServerDiscoveryOptions): Promise<SrvRecord | undefined> {
  const find = options.resolveSrv ?? resolveSrv;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, SRV_MS, undefined);
  });
  try {
    const records = await Promise.race([find(`_matrix-fed._tcp.${host}`), late]);
    return records?.toSorted((a, b) => a.priority - b.priority)[0];
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
