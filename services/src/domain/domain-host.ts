/**
 * The host of a domain's services: joins the application service, the REST app, and for each service its store, its handlers
 * and its reader. Several hosts of one domain may run side by side on stores that they share; whatever one of them has
 * acknowledged is in the store.
 */
import type { createRuntime, Logger, Protostub, Store } from '@hyperty/runtime';
import { FabricError, SERVICE_DEVICE, SERVICE_OWNER_PREFIX } from '@hyperty/runtime';
import { ApplicationService } from './application-service.ts';
import { createDispatcher, type Dispatcher, type DispatcherDeps } from './dispatcher.ts';
import { fabricHandler } from './fabric-road.ts';
import { Reader, type ReaderState } from './reader.ts';
import type { Registration } from './registration.ts';
import type { AnyService } from './service.ts';

/** A runtime of a service. */
export type ServiceRuntime = ReturnType<typeof createRuntime>;

/** A logged-in device of a ghost: the token is the application service's. */
export interface GhostSession {
  readonly baseUrl: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
}

/** One service as the host makes it. */
export interface HostedService {
  /** Name in addresses and paths. */
  readonly name: string;
  /** How people see its account. */
  readonly displayName: string;
  readonly store: Store;
  /** @param runtime gives the service's runtime while this process reads for it, to call other services with */
  readonly create: (runtime: () => ServiceRuntime | undefined) => AnyService;
}

/** What a host is made of. */
export interface DomainHostOptions {
  readonly registration: Registration;
  /** Client API of the homeserver. */
  readonly homeserverUrl: string;
  readonly domain: string;
  readonly services: readonly HostedService[];
  /** A protostub on a ghost's device; `renew` makes the device again when it was deleted. */
  readonly createProtostub: (session: GhostSession, renew: () => Promise<GhostSession>) => Protostub;
  readonly dispatching: DispatcherDeps;
  readonly logger: Logger;
}

/** How one service is. */
export interface ServiceStatus {
  readonly service: string;
  readonly state: ReaderState;
  readonly reason?: string;
}

const PING_MS = 60_000;

/** The services of one domain, in this process. */
export class DomainHost {
  readonly applicationService: ApplicationService;
  readonly dispatchers: readonly Dispatcher[];
  readonly #options: DomainHostOptions;
  readonly #readers: readonly Reader[];
  #pingFailure: FabricError | undefined;
  #hasPinged = false;
  #pinging: NodeJS.Timeout | undefined;
  readonly #end = new AbortController();

  constructor(options: DomainHostOptions) {
    const { registration, homeserverUrl, domain, logger, dispatching } = options;
    this.#options = options;
    this.applicationService = new ApplicationService({ registration, domain, homeserverUrl, logger });
    const runtimes = new Map<string, ServiceRuntime>();
    this.dispatchers = options.services.map(({ name, create }) =>
      createDispatcher(
        create(() => runtimes.get(name)),
        dispatching,
      ),
    );
    this.#readers = options.services.map((hosted, index) => {
      const dispatcher = this.dispatchers[index] as Dispatcher;
      return new Reader({
        service: hosted.name,
        handler: fabricHandler(dispatcher, domain),
        store: hosted.store,
        connect: () => this.#connect(hosted),
        logger,
        onRuntime: (runtime) => {
          if (runtime) runtimes.set(hosted.name, runtime);
          else runtimes.delete(hosted.name);
        },
      });
    });
  }

  /** Begins all services; settles once each is read here or by another process. @throws FabricError */
  async start(): Promise<void> {
    // Sources of discovery speak as its account from the first moment. A homeserver that is away is asked again by the readers.
    await Promise.all(this.#options.services.map((hosted) => this.#ensureGhost(hosted))).catch(ifLasting);
    for (const { service } of this.dispatchers) await service.start?.();
    await Promise.all([this.#ping(), ...this.#readers.map((reader) => reader.start())]);
  }

  /** Handles what is under way and ends. Stores are not closed. Idempotent. */
  async stop(): Promise<void> {
    this.#end.abort();
    clearTimeout(this.#pinging);
    await Promise.all(this.#readers.map((reader) => reader.stop()));
    for (const { service } of this.dispatchers) await service.stop?.();
  }

  /** How each service is. */
  status(): readonly ServiceStatus[] {
    return this.#readers.map(({ service, state, failure }) => ({
      service,
      state,
      ...(failure ? { reason: failure.message } : {}),
    }));
  }

  /** Why the homeserver does not reach us, if it does not. Services work without; what it pushes waits. */
  get pushFailure(): FabricError | undefined {
    return this.#pingFailure;
  }

  /** Followers and requests under way over the fabric, by service. */
  get load(): readonly {
    readonly service: string;
    readonly followers: number;
    readonly inProgress: number;
  }[] {
    return this.#readers.map(({ service, served }) => ({
      service,
      followers: served?.followers ?? 0,
      inProgress: served?.inProgress ?? 0,
    }));
  }

  #ensureGhost({ name, displayName }: Pick<HostedService, 'name' | 'displayName'>): Promise<void> {
    const localpart = `${SERVICE_OWNER_PREFIX}${name}`;
    return this.applicationService.ensureGhost({ localpart, displayName, deviceId: SERVICE_DEVICE });
  }

  async #connect({ name, displayName }: HostedService): Promise<Protostub> {
    const { registration, homeserverUrl: baseUrl, domain, createProtostub } = this.#options;
    const localpart = `${SERVICE_OWNER_PREFIX}${name}`;
    const session: GhostSession = {
      baseUrl,
      userId: `@${localpart}:${domain}`,
      deviceId: SERVICE_DEVICE,
      accessToken: registration.as_token,
    };
    const renew = async (): Promise<GhostSession> => {
      await this.#ensureGhost({ name, displayName });
      return session;
    };
    return createProtostub(await renew(), renew);
  }

  /** Again and again: a homeserver that was restarted while it thought us down pushes nothing by itself. */
  async #ping(): Promise<void> {
    try {
      const wake = !this.#hasPinged || this.#pingFailure !== undefined;
      await this.applicationService.ping({ wake, signal: this.#end.signal });
      [this.#hasPinged, this.#pingFailure] = [true, undefined];
    } catch (caught) {
      if (this.#end.signal.aborted) return;
      const error = caught as FabricError;
      if (this.#pingFailure?.message !== error.message)
        this.#options.logger.warn({ error }, 'the homeserver cannot push to us');
      this.#pingFailure = error;
    }
    if (this.#end.signal.aborted) return;
    this.#pinging = setTimeout(() => void this.#ping(), PING_MS);
    this.#pinging.unref();
  }
}

/** @throws the error, unless it may pass by itself */
function ifLasting(caught: unknown): void {
  if (!FabricError.from(caught).retryable) throw caught;
}
