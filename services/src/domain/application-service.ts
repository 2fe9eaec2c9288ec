/**
 * The application service through which the services are part of their homeserver: makes their ghosts, answers what the
 * homeserver asks, and finds out whether the homeserver really reaches us. What comes for a service over the fabric does not
 * come this way (a homeserver drops what it cannot push), but by the `/sync` of the ghost's own device.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { delay, FabricError, silentLogger, systemClock, type Logger } from '@hyperty/runtime';
import { json, Router, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import {
  Appservice,
  LogService,
  MatrixClient,
  MatrixError,
  SimpleRetryJoinStrategy,
  type IAppserviceRegistration,
} from 'matrix-bot-sdk';
import type { Registration } from './registration.ts';

/** What an application service is made of. */
export interface ApplicationServiceOptions {
  readonly registration: Registration;
  /** The homeserver's name. */
  readonly domain: string;
  /** Its client API. */
  readonly homeserverUrl: string;
  readonly logger: Logger;
  /** Hears of room events that concern our ghosts. A repeated transaction is not heard twice. */
  readonly onRoomEvent?: (roomId: string, event: Readonly<Record<string, unknown>>) => void;
}

/** A ghost to be made: an account of the application service with one device. */
export interface Ghost {
  readonly localpart: string;
  readonly displayName: string;
  readonly deviceId: string;
}

/** A transaction holds up to 100 events of 64 KiB, and those that the homeserver adds. */
const MAX_TRANSACTION = '16mb';
const PROBE_ALIAS = '_hyperty_probe';

/** The application service of one homeserver. */
export class ApplicationService {
  /** Serves the paths below `/_matrix/app/` that the homeserver calls. */
  readonly routes: RequestHandler;
  readonly #options: ApplicationServiceOptions;
  readonly #appservice: Appservice;
  readonly #ghosts = new Map<string, string>();

  constructor(options: ApplicationServiceOptions) {
    this.#options = options;
    const { registration, domain, homeserverUrl } = options;
    LogService.setLogger(toBotSdk(options.logger));
    this.#appservice = new Appservice({
      port: 0, // it does not listen: its requests come through our own server
      bindAddress: '127.0.0.1',
      homeserverName: domain,
      homeserverUrl,
      registration: registration as unknown as IAppserviceRegistration,
      joinStrategy: new SimpleRetryJoinStrategy(),
    });
    this.#listen();
    this.routes = this.#createRoutes();
  }

  /**
   * Checks that the homeserver at our URL is that of the registration.
   * @returns the domain that the homeserver says it is
   * @throws FabricError `unauthenticated` (it does not know the registration), `conflict` (another domain), `offline`
   */
  static async domainOf({
    registration,
    homeserverUrl,
  }: Pick<ApplicationServiceOptions, 'registration' | 'homeserverUrl'>): Promise<string> {
    LogService.setLogger(toBotSdk(silentLogger)); // what it says is in the error
    const client = new MatrixClient(homeserverUrl, registration.as_token);
    const doing = `The homeserver at ${homeserverUrl}`;
    const who = await asked(doing, () => client.getWhoAmI()).catch((error: unknown) => {
      if (FabricError.from(error).code !== 'unauthenticated') throw error;
      const text = `${doing} does not know this registration. Name the file in its app_service_config_files and restart it; after a new registration, restart it as well.`;
      throw new FabricError('unauthenticated', text, { cause: error });
    });
    const separator = who.user_id.indexOf(':');
    return who.user_id.slice(separator + 1);
  }

  /** Makes a ghost and its device where they are missing. Idempotent. @throws FabricError */
  async ensureGhost({ localpart, displayName, deviceId }: Ghost): Promise<void> {
    const intent = this.#appservice.getIntent(localpart);
    const doing = `Making the account ${intent.userId}`;
    this.#ghosts.set(intent.userId, displayName);
    await asked(doing, () => intent.ensureRegistered());
    const client = intent.underlyingClient;
    const profile = (await asked(doing, () => client.getUserProfile(intent.userId))) as {
      displayname?: string;
    };
    if (profile.displayname !== displayName) await asked(doing, () => client.setDisplayName(displayName));
    const path = `/_matrix/client/v3/devices/${encodeURIComponent(deviceId)}`;
    await asked(doing, () => client.doRequest('PUT', path, null, { display_name: displayName }));
  }

  /** The Matrix client of a ghost. */
  clientOf(localpart: string): MatrixClient {
    return this.#appservice.getIntent(localpart).underlyingClient;
  }

  /**
   * Finds out whether the homeserver reaches us. `wake` first writes an event that concerns us: without one, a homeserver that was
   * restarted while we were away pushes nothing again.
   * @throws FabricError `offline` with what to do; `conflict` when its tokens are not ours
   */
  async ping({ wake, signal }: { readonly wake: boolean; readonly signal?: AbortSignal }): Promise<void> {
    const client = this.#appservice.botClient;
    const { registration } = this.#options;
    if (!registration.url) return;
    await asked('The homeserver', () => this.#appservice.botIntent.ensureRegistered());
    if (wake) await this.#writeProbe(client);
    const path = `/_matrix/client/v1/appservice/${encodeURIComponent(registration.id)}/ping`;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await client.doRequest('POST', path, null, {});
        return;
      } catch (caught) {
        if (attempt >= 3 || !(caught instanceof MatrixError) || caught.statusCode < 500)
          throw explainPing(caught, registration.url);
        await delay(systemClock, 300 * attempt, signal);
      }
    }
  }

  async #writeProbe(client: MatrixClient): Promise<void> {
    const alias = `#${PROBE_ALIAS}:${this.#options.domain}`;
    const doing = 'Writing into the room with which the homeserver is woken';
    const find = (): Promise<string> => client.resolveRoom(alias);
    const make = (): Promise<string> =>
      client.createRoom({ preset: 'private_chat', room_alias_name: PROBE_ALIAS, name: 'Hyperty services' });
    await asked(doing, async () => {
      const room = await find().catch(make).catch(find); // another process may just have made it
      await client.sendEvent(room, 'org.hyperty.probe', { at: Date.now() });
    });
  }

  #listen(): void {
    const { logger, onRoomEvent } = this.#options;
    this.#appservice.on('query.user', (userId: string, create: (made: unknown) => void) => {
      const displayName = this.#ghosts.get(userId);
      create(displayName === undefined ? false : { display_name: displayName });
    });
    this.#appservice.on('query.room', (_alias: string, create: (made: unknown) => void) => create(false));
    this.#appservice.on('room.event', (roomId: string, event: Record<string, unknown>) => {
      onRoomEvent?.(roomId, event);
    });
    this.#appservice.on('room.invite', (roomId: string, event: { state_key: string }) => {
      if (!this.#ghosts.has(event.state_key)) return; // leaving would make an account of a made-up name
      const intent = this.#appservice.getIntentForUserId(event.state_key);
      // A service is spoken to over the fabric; who invites it to a room is not left waiting.
      intent.leaveRoom(roomId).catch((error: unknown) => {
        logger.warn({ roomId, error }, 'an invitation to a room could not be declined');
      });
    });
  }

  #createRoutes(): RequestHandler {
    const router = Router();
    router.use('/_matrix/app', this.#admit);
    router.post('/_matrix/app/v1/ping', (_request, response) => void response.json({}));
    router.use('/_matrix/app', json({ limit: MAX_TRANSACTION, strict: true }), refuseMalformed);
    router.use('/_matrix/app', (request, response) => {
      const { headers, originalUrl } = request;
      headers.authorization = `Bearer ${this.#options.registration.hs_token}`;
      Object.assign(request, { url: originalUrl, _body: true, next: undefined });
      // matrix-bot-sdk brings an older Express: its app is called as a plain listener, not mounted.
      this.#appservice.expressAppInstance(request as never, response as never);
    });
    return router;
  }

  /** Only the homeserver may push; the token is compared in constant time and never taken from a URL. */
  readonly #admit = (request: Request, response: Response, next: NextFunction): void => {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (isSame(given, this.#options.registration.hs_token)) {
      next();
      return;
    }
    const errcode = given === '' ? 'M_UNAUTHORIZED' : 'M_FORBIDDEN';
    response.status(given === '' ? 401 : 403).json({ errcode, error: 'The hs_token is missing or wrong.' });
  };
}

/** What the transactions of matrix-bot-sdk would fail over. */
function refuseMalformed(request: Request, response: Response, next: NextFunction): void {
  const { events = [] } = (request.body ?? {}) as { events?: unknown };
  const isEvent = (event: unknown): boolean =>
    typeof event === 'object' && event !== null && typeof (event as { type?: unknown }).type === 'string';
  if (request.method !== 'PUT' || (Array.isArray(events) && events.every(isEvent))) next();
  else response.status(400).json({ errcode: 'M_BAD_JSON', error: 'Expected a list of events.' });
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

async function asked<T>(doing: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (caught) {
    throw fromBotSdk(caught, doing);
  }
}

/** Turns what matrix-bot-sdk throws into a fabric error; its texts may hold tokens, so they are left out. */
function fromBotSdk(caught: unknown, doing: string): FabricError {
  if (!(caught instanceof MatrixError)) {
    const { code } = caught as { code?: string };
    const why = code ?? (caught instanceof Error ? caught.message : '');
    return new FabricError(
      'offline',
      `${doing} cannot be reached (${why}). Is it running, is the URL right?`,
      { cause: caught },
    );
  }
  const { statusCode, errcode, error } = caught;
  const text = `${doing}: ${error || 'no reason given'} (${errcode || statusCode}).`;
  if (statusCode === 401) return new FabricError('unauthenticated', text, { cause: caught });
  if (statusCode === 403) return new FabricError('forbidden', text, { cause: caught });
  return new FabricError(statusCode >= 500 ? 'offline' : 'invalid', text, { cause: caught });
}

function explainPing(caught: unknown, url: string): FabricError {
  const { errcode = '', body } = caught as { errcode?: string; body?: { status?: number } };
  if (errcode.includes('BAD_STATUS') && (body?.status === 401 || body?.status === 403)) {
    const text = `The homeserver reaches ${url} with another hs_token than ours: it has read another registration file. Give it this one and restart it.`;
    return new FabricError('conflict', text, { cause: caught });
  }
  if (errcode.includes('CONNECTION') || errcode.includes('BAD_STATUS')) {
    const text = `The homeserver does not reach us at ${url}, the url of the registration (${errcode}). Is that where we listen, as the homeserver sees it?`;
    return new FabricError('offline', text, { cause: caught });
  }
  return fromBotSdk(caught, 'The homeserver');
}

/** What matrix-bot-sdk says is told by the errors that its requests end with; it warns of accounts that exist. */
function toBotSdk(logger: Logger) {
  const debug = (module: string, ...rest: unknown[]): void => {
    if (module === 'MatrixHttpClient') return; // it would show what is secret
    logger.debug({ module }, rest.filter((part) => typeof part === 'string').join(' '));
  };
  return { trace: () => undefined, debug, info: debug, warn: debug, error: debug };
}
