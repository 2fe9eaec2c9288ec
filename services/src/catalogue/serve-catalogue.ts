/** A catalogue without a host: for tests of one's own, and for trying things in one process. */
import { runtimeParts, type Runtime, type ServedService } from '@hyperty/runtime';
import { createDispatcher } from '../domain/dispatcher.ts';
import { fabricHandler } from '../domain/fabric-road.ts';
import { createCatalogue, type CatalogueOptions } from './catalogue.ts';

/**
 * Serves a catalogue on a started runtime of the catalogue's account, `@_hyperty_catalogue:<domain>`, on the device `hyperty`.
 * @throws FabricError `forbidden` for a runtime of another account, `conflict` when it is served here already
 */
export async function serveCatalogue(runtime: Runtime, options: CatalogueOptions): Promise<ServedService> {
  const service = createCatalogue(options);
  await service.start?.();
  const { domain } = runtimeParts(runtime.address);
  const served = runtime.services.serve('catalogue', fabricHandler(createDispatcher(service), domain));
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
