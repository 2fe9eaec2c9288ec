/** How the discovery of another domain is asked: over the fabric, in the name of the own one. */
import { discoveryContract, FabricError, type Runtime } from '@hyperty/runtime';
import type { AskDomain } from './fan-out.ts';

/** Asks through the runtime of the service's account; while this process has none, others of the domain may. */
export const askThrough =
  (runtime: () => Pick<Runtime, 'services'> | undefined): AskDomain =>
  (domain, query, timeoutMs) => {
    const asker = runtime();
    if (asker) return asker.services.at(discoveryContract, domain).call('search', query, { timeoutMs });
    const text = 'Another process of this domain reads for discovery; this one cannot ask partners.';
    return Promise.reject(new FabricError('offline', text));
  };
