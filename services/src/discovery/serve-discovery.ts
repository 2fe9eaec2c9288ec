/** A discovery without a host: for tests of one's own, and for trying things in one process. */
import { discoveryContract, runtimeParts, type Runtime, type ServedService } from '@hyperty/runtime';
import { createDispatcher } from '../domain/dispatcher.ts';
import { fabricHandler } from '../domain/fabric-road.ts';
import { createDiscovery, type DiscoveryOptions } from './discovery.ts';

/**
 * Serves discovery on a started runtime of its account, `@_hyperty_discovery:<domain>`, on the device `hyperty`; it asks other
 * domains through that runtime.
 * @throws FabricError `forbidden` for a runtime of another account, `conflict` when it is served here already
 */
export async function serveDiscovery(
  runtime: Runtime,
  options: Omit<DiscoveryOptions, 'domain' | 'askDomain'>,
): Promise<ServedService> {
  const { domain } = runtimeParts(runtime.address);
  const service = createDiscovery({
    ...options,
    domain,
    askDomain: (partner, query, timeoutMs) =>
      runtime.services.at(discoveryContract, partner).call('search', query, { timeoutMs }),
  });
  await service.start?.();
  const served = runtime.services.serve('discovery', fabricHandler(createDispatcher(service), domain));
  return {
    address: served.address,
    get inProgress() {
      return served.inProgress;
    },
    get followers() {
      return served.followers;
    },
    stop: async () => {
      await served.stop();
      await service.stop?.();
    },
  };
}
