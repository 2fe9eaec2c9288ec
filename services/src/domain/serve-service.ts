/** A service without a host: for tests of one's own, and for trying things in one process. */
import { runtimeParts, type Runtime, type ServedService } from '@hyperty/runtime';
import { createDispatcher } from './dispatcher.ts';
import { fabricHandler } from './fabric-road.ts';
import type { AnyService } from './service.ts';

/**
 * Starts a service and serves it on a started runtime of its account, `@_hyperty_<service>:<domain>`, on the device `hyperty`.
 * @returns what is served; stopping it stops the service
 * @throws FabricError `forbidden` for a runtime of another account, `conflict` when it is served here already
 */
export async function serveService(runtime: Runtime, service: AnyService): Promise<ServedService> {
  await service.start?.();
  const { domain } = runtimeParts(runtime.address);
  const handler = fabricHandler(createDispatcher(service), domain);
  const served = runtime.services.serve(service.contract.service, handler);
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
