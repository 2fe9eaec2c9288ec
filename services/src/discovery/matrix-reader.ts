/** Reads the user directory of the own homeserver, as the service's account. */
import { FabricError } from '@hyperty/runtime';

/** A user as the homeserver's directory shows them. */
export interface MatrixUser {
  readonly userId: string;
  readonly displayName?: string;
  /** `mxc://…`. */
  readonly avatarUrl?: string;
}

/** What is read of a homeserver. */
export interface MatrixReader {
  /**
   * Users whose id or name has a word that begins with `term`.
   * @throws FabricError `offline rate-limited unauthenticated`
   */
  searchUsers(
    term: string,
    options: { readonly limit: number; readonly signal: AbortSignal },
  ): Promise<{
    readonly users: readonly MatrixUser[];
    /** There are more. */
    readonly isLimited: boolean;
  }>;
}

/** How the homeserver is reached. */
export interface MatrixReaderOptions {
  /** Client API of the homeserver. */
  readonly homeserverUrl: string;
  /** Of the application service. It goes into a header, never into a URL. */
  readonly accessToken: string;
  /** The service's account, for which the token speaks. */
  readonly userId: string;
  readonly fetch?: typeof fetch;
  /** Default 30,000. */
  readonly timeoutMs?: number;
}

/** Creates a reader over the client API: `POST /user_directory/search` (Client-Server API, "User Directory"). */
export function createMatrixReader(options: MatrixReaderOptions): MatrixReader {
  const { homeserverUrl, accessToken, userId, timeoutMs = 30_000 } = options;
  const url = new URL('/_matrix/client/v3/user_directory/search', homeserverUrl);
  url.searchParams.set('user_id', userId);
  const send = options.fetch ?? fetch;
  const ask = (body: object, signal: AbortSignal): Promise<Response> =>
    send(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
  return {
    searchUsers: async (term, { limit, signal }) => {
      const response = await ask({ search_term: term, limit }, signal).catch((cause: unknown) => {
        throw new FabricError('offline', `The homeserver at ${url.origin} does not answer.`, { cause });
      });
      if (!response.ok) throw await failureOf(response, url.origin);
      return usersOf(await response.json());
    },
  };
}

function usersOf(body: unknown): { users: MatrixUser[]; isLimited: boolean } {
  const { results, limited } = (body ?? {}) as { results?: unknown; limited?: unknown };
  const users = (Array.isArray(results) ? results : []).flatMap((one: unknown): MatrixUser[] => {
    const {
      user_id: userId,
      display_name: name,
      avatar_url: avatar,
    } = (one ?? {}) as Record<string, unknown>;
    if (typeof userId !== 'string') return [];
    const displayName = typeof name === 'string' ? { displayName: name } : {};
    return [{ userId, ...displayName, ...(typeof avatar === 'string' ? { avatarUrl: avatar } : {}) }];
  });
  return { users, isLimited: limited === true };
}

async function failureOf(response: Response, server: string): Promise<FabricError> {
  const body = (await response.json().catch(() => ({}))) as { retry_after_ms?: unknown };
  const text = `The user directory of ${server} answered ${response.status}.`;
  if (response.status === 429) {
    const retryAfterMs = typeof body.retry_after_ms === 'number' ? body.retry_after_ms : 5000;
    return new FabricError('rate-limited', text, { details: { retryAfterMs } });
  }
  const isRefused = response.status === 401 || response.status === 403;
  return new FabricError(isRefused ? 'unauthenticated' : 'offline', text);
}
