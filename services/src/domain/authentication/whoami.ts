/** Accounts of this domain over REST, by their Matrix access tokens: the homeserver says whose they are. */
import { FabricError } from '@hyperty/runtime';
import { callerFor, type Caller } from '../caller.ts';

/** Whom to ask. */
export interface WhoamiOptions {
  /** Client API of the homeserver. */
  readonly homeserverUrl: string;
  readonly home: string;
  readonly fetch: typeof fetch;
}

const TIMEOUT_MS = 10_000;

/** Asks the homeserver. @throws FabricError `unauthenticated`, `rate-limited`, `offline` */
export async function askWhoami(
  token: string,
  { homeserverUrl, home, fetch }: WhoamiOptions,
): Promise<Caller> {
  const { status, body } = await ask(token, { homeserverUrl, fetch });
  if (status === 401 || status === 403)
    throw new FabricError(
      'unauthenticated',
      `The homeserver of ${home} does not know this access token, or not any more. Log in again.`,
    );
  if (status === 429) {
    const { retry_after_ms: retryAfterMs = 1000 } = body as { retry_after_ms?: unknown };
    throw new FabricError('rate-limited', 'The homeserver asks to slow down.', { details: { retryAfterMs } });
  }
  const { user_id: userId, is_guest: isGuest } = body as { user_id?: unknown; is_guest?: unknown };
  if (status === 200 && isGuest === true)
    throw new FabricError('forbidden', 'A guest of the homeserver has no account; register or log in.');
  if (status === 200 && typeof userId === 'string' && userId.endsWith(`:${home}`))
    return callerFor(userId, home);
  throw new FabricError(
    'offline',
    `The homeserver of ${home} cannot say whose access token this is (status ${status}).`,
  );
}

async function ask(
  token: string,
  { homeserverUrl, fetch }: Omit<WhoamiOptions, 'home'>,
): Promise<{ status: number; body: object }> {
  try {
    const response = await fetch(`${homeserverUrl}/_matrix/client/v3/account/whoami`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body: unknown = await response.json().catch(() => undefined);
    return { status: response.status, body: typeof body === 'object' && body !== null ? body : {} };
  } catch (cause) {
    throw new FabricError('offline', 'The homeserver does not answer, so nobody can be recognised now.', {
      cause,
    });
  }
}
