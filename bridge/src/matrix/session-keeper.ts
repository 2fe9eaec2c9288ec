/** The access token of a protostub: whose it is, and a new one when the homeserver takes it no longer. */
import { delay, FabricError, type Clock } from '@hyperty/runtime';
import type { MatrixClient } from 'matrix-js-sdk';
import { fromMatrix } from './error.ts';
import { addressOfSession, type Session } from './session.ts';

/** What keeping a session takes. */
export interface SessionKeeperDeps {
  readonly client: MatrixClient;
  readonly session: Session;
  readonly clock: Clock;
  /** Returns a session of the same device with a new token. */
  readonly renew: (() => Promise<Session>) | undefined;
}

const RETRY_MS = { first: 1000, longest: 30_000 };
const USER_ID = /^@[^:]*:.+$/;

/** Keeps the token of one client in force. */
export class SessionKeeper {
  readonly #deps: SessionKeeperDeps;

  constructor(deps: SessionKeeperDeps) {
    this.#deps = deps;
  }

  /** What befell a session that is not renewed. */
  get loggedOut(): FabricError {
    const { userId, baseUrl } = this.#deps.session;
    return new FabricError('unauthenticated', `${userId} has been logged out at ${baseUrl}; log in again.`);
  }

  /**
   * The token must belong to the device that the session names, or our address would be somebody else's. One that has
   * expired since it was stored is renewed.
   * @throws FabricError `unauthenticated unsupported offline …`
   */
  async check(): Promise<void> {
    const { userId, deviceId, baseUrl } = this.#deps.session;
    const who = await this.#whoAmI();
    if (who.user_id === userId && who.device_id === deviceId) return;
    if (!USER_ID.test(who.user_id))
      throw new FabricError(
        'unsupported',
        `${baseUrl} does not answer as a Matrix homeserver. Check the URL.`,
      );
    const owner = `${who.user_id}, device ${who.device_id ?? 'none'}`;
    const text = `The access token at ${baseUrl} belongs to ${owner}, not to ${userId}, device ${deviceId}; log in again.`;
    throw new FabricError('unauthenticated', text);
  }

  /**
   * Takes a new token; again, after a while, for as long as that fails with an error that is retryable.
   * @throws FabricError `unauthenticated`, and what renewing throws; the signal's reason
   */
  async renew(signal: AbortSignal): Promise<void> {
    const { clock, session } = this.#deps;
    for (let retryMs = RETRY_MS.first; ; retryMs = Math.min(RETRY_MS.longest, retryMs * 2)) {
      try {
        await this.#takeNewToken();
        signal.throwIfAborted();
        return;
      } catch (caught) {
        signal.throwIfAborted();
        const error = fromMatrix(caught, `Renewing the session of ${session.userId}`);
        if (!error.retryable) throw error;
      }
      await delay(clock, retryMs, signal);
    }
  }

  async #whoAmI(): Promise<Awaited<ReturnType<MatrixClient['whoami']>>> {
    const { client, renew, session } = this.#deps;
    try {
      return await client.whoami();
    } catch (caught) {
      const error = fromMatrix(caught, `Connection of ${session.userId}`);
      if (error.code !== 'unauthenticated' || !renew) throw error;
      await this.#takeNewToken();
      return client.whoami();
    }
  }

  async #takeNewToken(): Promise<void> {
    const { client, session, renew } = this.#deps;
    const renewed = await renew?.();
    if (!renewed || addressOfSession(renewed) !== addressOfSession(session)) throw this.loggedOut;
    client.setAccessToken(renewed.accessToken);
  }
}
