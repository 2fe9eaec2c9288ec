/**
 * The services of one domain in this process: their stores, their host, and the port on which they answer their homeserver and
 * REST. What was begun ends in reverse order.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Logger, Store } from '@hyperty/runtime';
import type { LogLevel } from '@hyperty/runtime/node';
import type { Registration, ServiceStatus } from '@hyperty/services/domain';
import { readCompanyFile } from './company-file.ts';
import { domainServices } from './domain-services.ts';
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
  /** File in which the company says more of its directory. */
  readonly company?: string;
  /** File with the certificate authority of partners. */
  readonly ca?: string;
  readonly allowPrivate: boolean;
  readonly logLevel: LogLevel;
  /** Of the command, for the API's description. */
  readonly version: string;
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
  const [{ ApplicationService, privateRanges, startDomainServer }, node, bridge] = await load();
  const { registration, homeserverUrl, allowPrivate, listen, version } = settings;
  const logger = node.createLogger({ level: settings.logLevel });
  const domain = await ApplicationService.domainOf({ registration, homeserverUrl });
  signal.throwIfAborted();
  const open = createStoreOpener(settings, domain, undo);
  const discovery = await directoryOf(settings, domain, logger);
  const accessToken = registration.as_token;
  const services = await domainServices({ domain, homeserverUrl, accessToken, logger, open, discovery });
  const server = await startDomainServer({
    registration,
    homeserverUrl,
    domain,
    services,
    createProtostub: (session, renew) =>
      bridge.createMatrixProtostub({ session, renew, masquerades: true, logger }),
    listen,
    version,
    logger,
    ...(allowPrivate ? { allowedRanges: privateRanges } : {}),
    ...(settings.ca === undefined ? {} : { extraCa: await readFile(settings.ca, 'utf8') }),
  });
  undo.push(() => server.stop());
  return {
    domain,
    url: server.url,
    get warning() {
      return server.host.pushFailure?.message;
    },
    status: () => server.host.status(),
    stop,
  };
}

/** Loaded here, not before: most commands do without. */
const load = () =>
  Promise.all([
    import('@hyperty/services/domain'),
    import('@hyperty/runtime/node'),
    import('@hyperty/bridge'),
  ]);

async function directoryOf({ company, partners }: DomainSettings, domain: string, logger: Logger) {
  const file = company === undefined ? {} : await readCompanyFile(company, { domain, logger });
  return { ...file, partners: [...new Set([...(file.partners ?? []), ...partners])] };
}

/** Opens the store of a service, brings it to the newest format, and closes it at the end. */
function createStoreOpener(settings: DomainSettings, domain: string, undo: Life['undo']) {
  return async (service: string): Promise<Store> => {
    const { openFormat } = await import('@hyperty/services/domain');
    const store = await openNamedStore(placeOf(settings, domain, service));
    undo.push(() => store.close());
    await openFormat(store);
    return store;
  };
}

/** One store for each service: a file, or a name on the Redis. */
function placeOf({ data, store }: DomainSettings, domain: string, service: string): NamedStore {
  if (store === undefined) return { kind: 'file', file: resolve(data, `${service}.db`) };
  const named = parseNamedStore(store);
  if (named.kind === 'file') return { kind: 'file', file: resolve(named.file, `${service}.db`) };
  return { ...named, namespace: `${named.namespace ?? domain}/${service}` };
}
