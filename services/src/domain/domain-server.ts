/** A host and its HTTP side: what the homeserver pushes, REST, documentation, health and metrics on one port. */
import type { Logger } from '@hyperty/runtime';
import { createAuthentication, type AuthenticationOptions } from './authentication/authentication.ts';
import { checkAccess } from './dispatcher.ts';
import { createDocsPages } from './docs-page.ts';
import { DomainHost, type DomainHostOptions } from './domain-host.ts';
import { createHealthPages, type PartHealth } from './health.ts';
import { createCallLimits, type CallBudgets } from './limits.ts';
import { createMetricsPage, createServiceMetrics, type ServiceLoad } from './metrics.ts';
import { createRestApp, type RestApp } from './rest/rest-app.ts';
import { startRestServer, type RestServer, type RestServerOptions } from './rest/rest-server.ts';

/** What a domain's server is made of. */
export interface DomainServerOptions
  extends Omit<DomainHostOptions, 'dispatching'>, Pick<AuthenticationOptions, 'extraCa' | 'allowedRanges'> {
  readonly listen: Pick<RestServerOptions, 'host' | 'port'>;
  readonly budgets?: CallBudgets;
  /** Version of the API's description. */
  readonly version: string;
  readonly logger: Logger;
}

/** The services of a domain, served over both roads. */
export interface DomainServer {
  readonly host: DomainHost;
  readonly url: string;
  /** Takes nothing more, finishes what is under way, and ends. Stores are not closed. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Listens, then starts the services; `/health` answers from the first moment, `/ready` once all services are read.
 * @throws FabricError `conflict` when the port is in use, and as {@link DomainHost.start} does; nothing is left running then
 */
export async function startDomainServer(options: DomainServerOptions): Promise<DomainServer> {
  const { listen, budgets, logger } = options;
  const limits = createCallLimits(budgets);
  const authentication = createAuthentication(options);
  const parts: { host?: DomainHost; rest?: RestApp } = {};
  const metrics = createServiceMetrics({
    load: () => loadOf(parts),
    caches: () => ({ authentication: authentication.size }),
  });
  const dispatching = { guards: [limits.guard, checkAccess], observe: metrics.observe };
  const host = new DomainHost({ ...options, dispatching });
  parts.host = host;
  const rest = createRestApp({
    dispatchers: host.dispatchers,
    authenticate: authentication.authenticate,
    admitStranger: limits.admitStranger,
    logger,
    homeserverRoutes: host.applicationService.routes,
    pages: [
      createHealthPages(() => healthOf(host)),
      createMetricsPage(metrics),
      createDocsPages(host.dispatchers, options),
    ],
  });
  parts.rest = rest;
  const server = await startRestServer(rest, { ...listen, logger });
  const stop = async (): Promise<void> => {
    rest.drain();
    await host.stop(); // the homeserver's pushes are answered meanwhile
    await server.stop();
  };
  try {
    await host.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, url: urlOf(server), stop };
}

const urlOf = ({ url }: RestServer): string => url;

function loadOf({ host, rest }: { readonly host?: DomainHost; readonly rest?: RestApp }): ServiceLoad[] {
  const fabric = host?.load.map((load) => ({ ...load, road: 'fabric' as const })) ?? [];
  if (!rest) return fabric;
  const { followers, inProgress } = rest;
  return [...fabric, { service: 'all', road: 'rest', followers, inProgress }];
}

/** A homeserver that cannot push is worth knowing, and no reason not to be asked. */
function healthOf(host: DomainHost): PartHealth[] {
  const push = host.pushFailure?.message;
  return [
    ...host.status().map(({ service, state, reason }) => ({
      part: service,
      isReady: state === 'reading' || state === 'standing-by',
      ...(reason === undefined ? {} : { reason }),
    })),
    { part: 'homeserver', isReady: true, ...(push === undefined ? {} : { reason: push }) },
  ];
}
