/** The services that a domain runs, and how they know of each other. */
import { SERVICE_OWNER_PREFIX, systemClock, type Logger, type Store } from '@hyperty/runtime';
import type { DiscoveryOptions, DiscoveryService, RegistryOptions, RegistryService } from '@hyperty/services';
import type { HostedService } from '@hyperty/services/domain';

/** What the services need. */
export interface DomainServicesParts {
  readonly domain: string;
  /** Client API of the homeserver, and the token of the application service there. */
  readonly homeserverUrl: string;
  readonly accessToken: string;
  readonly logger: Logger;
  /** Opens the store of a service. */
  readonly open: (service: string) => Promise<Store>;
  /** What a company says of its discovery. */
  readonly discovery: Pick<
    DiscoveryOptions,
    'company' | 'bounds' | 'defaultAudience' | 'partners' | 'sources'
  >;
}

const clock = systemClock;

/** Opens the stores of all services and tells how they are made. */
export async function domainServices(parts: DomainServicesParts): Promise<readonly HostedService[]> {
  const { logger, open } = parts;
  const { createCatalogue, createRegistry } = await import('@hyperty/services');
  const [catalogue, registry, discovery] = [
    await open('catalogue'),
    await open('registry'),
    await open('discovery'),
  ];
  const visibility: Visibility = { service: undefined };
  const mayFind: RegistryOptions['mayFind'] = (userId, caller) =>
    visibility.service?.showsPresence(userId, caller) ?? caller.isLocal;
  const runs = createRegistry({ store: registry, clock, logger, mayFind });
  const discover = await discoveryOver(runs, discovery, { ...parts, visibility });
  return [
    hosted('catalogue', catalogue, () => createCatalogue({ store: catalogue, clock })),
    hosted('registry', registry, () => runs),
    hosted('discovery', discovery, discover),
  ];
}

/** What people show is known to discovery, and holds for the registry too. */
interface Visibility {
  service: DiscoveryService | undefined;
}

const hosted = (name: string, store: Store, create: HostedService['create']): HostedService => {
  const displayName = `${name[0]?.toUpperCase() ?? ''}${name.slice(1)} of the fabric`;
  return { name, displayName, store, create };
};

/** Discovery sees what runs, and asks partners through the runtime of its own account. */
async function discoveryOver(
  registry: RegistryService,
  store: Store,
  parts: DomainServicesParts & { readonly visibility: Visibility },
): Promise<HostedService['create']> {
  const { domain, logger, discovery, homeserverUrl, accessToken, visibility } = parts;
  const { askThrough, createDiscovery, createMatrixReader, createMatrixSource, registryView } =
    await import('@hyperty/services');
  const userId = `@${SERVICE_OWNER_PREFIX}discovery:${domain}`;
  const reader = createMatrixReader({ homeserverUrl, accessToken, userId });
  const people = createMatrixSource({ reader, domain, clock });
  return (runtime) => {
    visibility.service = createDiscovery({
      ...discovery,
      store,
      clock,
      domain,
      logger,
      sources: [...(discovery.sources ?? []), people],
      registry: registryView(registry),
      askDomain: askThrough(runtime),
    });
    return visibility.service;
  };
}
