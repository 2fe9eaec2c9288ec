/** The services that a domain runs, and how they know of each other. */
import { discoveryContract, FabricError, systemClock, type Logger, type Store } from '@hyperty/runtime';
import type { DiscoveryOptions, RegistryService } from '@hyperty/services';
import type { HostedService } from '@hyperty/services/domain';

/** What the services need. */
export interface DomainServicesParts {
  readonly domain: string;
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
  const runs = createRegistry({ store: registry, clock, logger });
  const discover = await discoveryOver(runs, discovery, parts);
  return [
    hosted('catalogue', catalogue, () => createCatalogue({ store: catalogue, clock })),
    hosted('registry', registry, () => runs),
    hosted('discovery', discovery, discover),
  ];
}

const hosted = (name: string, store: Store, create: HostedService['create']): HostedService => {
  const displayName = `${name[0]?.toUpperCase() ?? ''}${name.slice(1)} of the fabric`;
  return { name, displayName, store, create };
};

/** Discovery sees what runs, and asks partners through the runtime of its own account. */
async function discoveryOver(
  registry: RegistryService,
  store: Store,
  { domain, logger, discovery }: DomainServicesParts,
): Promise<HostedService['create']> {
  const { createDiscovery, registryView } = await import('@hyperty/services');
  return (runtime) =>
    createDiscovery({
      ...discovery,
      store,
      clock,
      domain,
      logger,
      registry: registryView(registry),
      askDomain: (partner, query, timeoutMs) => {
        const asker = runtime();
        if (!asker) return Promise.reject(notReading());
        return asker.services.at(discoveryContract, partner).call('search', query, { timeoutMs });
      },
    });
}

const notReading = (): FabricError =>
  new FabricError('offline', 'Another process of this domain asks partners; this one cannot.');
