/**
 * Who sends a REST request, from its `Authorization` header: `Bearer <Matrix access token of this homeserver>` for accounts of
 * this domain, `MatrixOpenID server="partner.example", token="…"` for those of partners. What has been proven is
 * believed for a short while, so most requests ask nobody.
 */
import { FabricError, systemClock, type Clock } from '@hyperty/runtime';
import type { Authenticate } from '../rest/rest-app.ts';
import { createAddressGuard } from './address-guard.ts';
import { createGuardedGet, type GuardedGet } from './guarded-get.ts';
import { askOpenId, type OpenIdToken } from './openid.ts';
import { ProofCache } from './proof-cache.ts';
import { createServerDiscovery, parseServerName, type ServerDiscovery } from './server-discovery.ts';
import { askWhoami } from './whoami.ts';

/** What authentication is made of. */
export interface AuthenticationOptions {
  /** Client API of the homeserver. */
  readonly homeserverUrl: string;
  readonly domain: string;
  /** A certificate authority in PEM that partners' servers may have, besides the public ones. */
  readonly extraCa?: string;
  /** Ranges of addresses that partners' servers may have although they are not public. Default none. */
  readonly allowedRanges?: readonly string[];
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  /** In place of the network, for tests. */
  readonly federation?: { readonly get?: GuardedGet; readonly discover?: ServerDiscovery };
}

/** Authentication and what it remembers. */
export interface Authentication {
  readonly authenticate: Authenticate;
  /** Tokens that are remembered. */
  readonly size: number;
}

/** How long an access token is believed after the homeserver has vouched for it: as long as a logged-out one still works. */
const WHOAMI_MS = 60_000;
/** Nobody tells when an OpenID token expires. */
const OPENID_MS = 60_000;
const MAX_TOKEN_CHARS = 4096;
const BEARER = /^Bearer +([\w\-.~+/=:!]+)$/i;
const OPENID = /^MatrixOpenID +(.+)$/i;

/** Creates authentication. */
export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { homeserverUrl, domain: home, clock = systemClock, fetch = globalThis.fetch } = options;
  const { extraCa, allowedRanges, federation = {} } = options;
  const guard = createAddressGuard(allowedRanges);
  const get = federation.get ?? createGuardedGet({ guard, ...(extraCa === undefined ? {} : { extraCa }) });
  const discover = federation.discover ?? createServerDiscovery({ get, clock });
  const own = new ProofCache({ clock, acceptedMs: WHOAMI_MS });
  const partners = new ProofCache({ clock, acceptedMs: OPENID_MS });
  return {
    get size() {
      return own.size + partners.size;
    },
    authenticate: (authorization) => {
      if (authorization === undefined) return undefined;
      if (authorization.length > MAX_TOKEN_CHARS) throw unreadable();
      const token = BEARER.exec(authorization)?.[1];
      if (token !== undefined)
        return own.prove(token, () => askWhoami(token, { homeserverUrl, home, fetch }));
      const openId = parseOpenId(authorization, home);
      return partners.prove(`${openId.server} ${openId.token}`, () =>
        askOpenId(openId, { home, get, discover }),
      );
    },
  };
}

/** @throws FabricError `unauthenticated`, `invalid` */
function parseOpenId(authorization: string, home: string): OpenIdToken {
  const parameters = new Map<string, string>();
  for (const part of (OPENID.exec(authorization)?.[1] ?? '').split(',')) {
    const [, name = '', value = ''] = /^\s*(server|token)="([\w\-.~+/=:![\]]+)"\s*$/i.exec(part) ?? [];
    if (name === '' || parameters.has(name.toLowerCase())) throw unreadable();
    parameters.set(name.toLowerCase(), value);
  }
  const [server, token] = [parameters.get('server'), parameters.get('token')];
  if (server === undefined || token === undefined) throw unreadable();
  parseServerName(server);
  if (server !== home) return { server, token };
  // A token for third parties must not open what only the account itself may.
  const text = `Accounts of ${home} use their access token: "Authorization: Bearer …".`;
  throw new FabricError('unauthenticated', text);
}

const unreadable = (): FabricError =>
  new FabricError(
    'unauthenticated',
    'The Authorization header is neither "Bearer <access token>" nor \'MatrixOpenID server="…", token="…"\'.',
  );
