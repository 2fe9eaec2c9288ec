/**
 * The services of one domain in this process: their stores, their host, and the port on which they answer their homeserver and
 * REST. What was begun ends in reverse order.
 */
import { resolve } from 'node:path';
import type { Store } from '@hyperty/runtime';
import type { LogLevel } from '@hyperty/runtime/node';
import type { HostedService, Registration, ServiceStatus } from '@hyperty/services/domain';
import { openNamedStore, parseNamedStore, type NamedStore } from '../named-store.ts';

/** What the services of a domain are started with. */
export interface DomainSettings {
  readonly registration: Registration;
  readonly homeserverUrl: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Folder of the stores. */
  readonly data: string;
  /** URL of a Redis in place of files. */
  readonly store?: string;
  /** Domains whose discovery is asked too. */
  readonly partners: readonly string[];
  /** File with the certificate authority of partners. */
  readonly ca?: string;
  readonly allowPrivate: boolean;
  readonly logLevel: LogLevel;
}

/** Services that run. */
export interface RunningDomain {
  readonly domain: string;
  /** Where they answer REST. */
  readonly url: string;
  /** What works less well than it should, for people. */
  readonly warning: string | undefined;
  status(): readonly ServiceStatus[];
  /** Handles what is under way, then ends. */
  stop(): Promise<void>;
}

/**
 * Starts the services.
 * @throws FabricError `unauthenticated` when the homeserver does not know the registration, `offline`, `conflict` when the port
 * is in use, and as stores and services do; nothing is left running then
 */
export async function startDomain(settings: DomainSettings, signal: AbortSignal): Promise<RunningDomain> {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of undo.splice(0).toReversed()) await end();
  };
  try {
    return await start(settings, { signal, undo, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Life {
  readonly signal: AbortSignal;
  readonly undo: (() => Promise<unknown>)[];
  readonly stop: () => Promise<void>;
}

async function start(settings: DomainSettings, { signal, undo, stop }: Life): Promise<RunningDomain> {
  const [{ ApplicationService, DomainHost, listen }, { createLogger }, { createMatrixProtostub }] =
    await Promise.all([
      import('@hyperty/services/domain'),
      import('@hyperty/runtime/node'),
      import('@hyperty/bridge'),
    ]);
  const { registration, homeserverUrl } = settings;
  const logger = createLogger({ level: settings.logLevel });
  const domain = await ApplicationService.domainOf({ registration, homeserverUrl });
  signal.throwIfAborted();
  const services = await openServices(settings, domain, undo);
  const host = new DomainHost({
    registration,
    homeserverUrl,
    domain,
    services,
    createProtostub: (session, renew) => createMatrixProtostub({ session, renew, masquerades: true, logger }),
    dispatching: {},
    logger,
  });
  const server = await listen(host, settings.listen);
  undo.push(() => server.stop());
  undo.push(() => host.stop());
  await host.start();
  return {
    domain,
    url: server.url,
    get warning() {
      return host.pushFailure?.message;
    },
    status: () => host.status(),
    stop,
  };
}

async function openServices(
  settings: DomainSettings,
  domain: string,
  undo: Life['undo'],
): Promise<readonly HostedService[]> {
  const { openFormat } = await import('@hyperty/services/domain');
  const open = async (name: string): Promise<Store> => {
    const store = await openNamedStore(placeOf(settings, domain, name));
    undo.push(() => store.close());
    await openFormat(store);
    return store;
  };
  await open('registry');
  return [];
}

/** One store for each service: a file, or a name on the Redis. */
function placeOf({ data, store }: DomainSettings, domain: string, service: string): NamedStore {
  if (store === undefined) return { kind: 'file', file: resolve(data, `${service}.db`) };
  const named = parseNamedStore(store);
  if (named.kind === 'file') return { kind: 'file', file: resolve(named.file, `${service}.db`) };
  return { ...named, namespace: `${named.namespace ?? domain}/${service}` };
}
