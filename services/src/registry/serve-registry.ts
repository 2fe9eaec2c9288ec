/** A registry without a host: for tests of one's own, and for trying things in one process. */
import { runtimeParts, type Runtime, type ServedService } from '@hyperty/runtime';
import { createDispatcher } from '../domain/dispatcher.ts';
import { fabricHandler } from '../domain/fabric-road.ts';
import { createRegistry, type RegistryOptions } from './registry.ts';

/**
 * Serves a registry on a started runtime of the registry's account, `@_hyperty_registry:<domain>`, on the device `hyperty`.
 * @throws FabricError `forbidden` for a runtime of another account, `conflict` when it is served here already
 */
export async function serveRegistry(runtime: Runtime, options: RegistryOptions): Promise<ServedService> {
  const service = createRegistry(options);
  await service.start?.();
  const { domain } = runtimeParts(runtime.address);
  const served = runtime.services.serve('registry', fabricHandler(createDispatcher(service), domain));
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
