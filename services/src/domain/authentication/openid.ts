/**
 * Accounts of partners over REST, by Matrix OpenID tokens (Client-Server API, "OpenID"): the server that has issued one is asked
 * whose it is. The token stands in the URL of that question, because the specification has it there; it passes between
 * servers, over TLS. Such a token says nothing of what it is for: whoever is given one can show it elsewhere as long as it
 * lives.
 */
import { FabricError } from '@hyperty/runtime';
import { callerFor, type Caller } from '../caller.ts';
import type { GuardedGet } from './guarded-get.ts';
import type { ServerDiscovery } from './server-discovery.ts';

/** A token and who has issued it. */
export interface OpenIdToken {
  readonly server: string;
  readonly token: string;
}

const USER_ID = /^@[!-9;-~]{1,250}$/;

/** Asks the issuing server. @param home our domain @throws FabricError `unauthenticated`, `offline`, `forbidden`, `invalid` */
export async function askOpenId(
  { server, token }: OpenIdToken,
  {
    home,
    get,
    discover,
  }: { readonly home: string; readonly get: GuardedGet; readonly discover: ServerDiscovery },
): Promise<Caller> {
  const target = await discover(server);
  const query = new URLSearchParams({ access_token: token }).toString();
  const { status, text } = await get(target, `/_matrix/federation/v1/openid/userinfo?${query}`);
  if (status === 401 || status === 403)
    throw new FabricError(
      'unauthenticated',
      `${server} does not know this OpenID token, or not any more. Get another one.`,
    );
  if (status !== 200)
    throw new FabricError('offline', `${server} cannot say whose OpenID token this is (status ${status}).`);
  const sub = subjectOf(text);
  const separator = sub.indexOf(':');
  if (separator > 1 && sub.slice(separator + 1) === server && USER_ID.test(sub.slice(0, separator)))
    return callerFor(sub, home);
  throw new FabricError('unauthenticated', `${server} vouches for an account that is not its own.`);
}

function subjectOf(text: string): string {
  try {
    const { sub } = JSON.parse(text) as { sub?: unknown };
    return typeof sub === 'string' ? sub : '';
  } catch {
    return '';
  }
}
