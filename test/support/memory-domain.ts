/** A domain in one process: services over the fabric on a memory hub, and runtimes of people who call them. */
import { createMemoryHub, createMemoryStore, createRuntime, runtimeAddress, SERVICE_DEVICE, SERVICE_OWNER_PREFIX, silentLogger, systemClock, type Clock, type MemoryHub, type Runtime, type ServedService, type Store } from '@hyperty/runtime'; // prettier-ignore
import { createDispatcher, type DispatcherDeps } from '../../services/src/domain/dispatcher.ts';
import { fabricHandler } from '../../services/src/domain/fabric-road.ts';
import type { AnyService } from '../../services/src/domain/service.ts';

/** A service that runs. */
export interface MemoryService {
  readonly runtime: Runtime;
  readonly served: ServedService;
  /** Ends service and runtime; their store stays open. */
  stop(): Promise<void>;
}

/** What can be told of a service that is served. */
export interface ServeOptions extends DispatcherDeps {
  readonly domain?: string;
  /** Store of the runtime (not of the service). Default: a new one. */
  readonly store?: Store;
}

/** Domains on one hub. */
export interface MemoryDomains {
  readonly hub: MemoryHub;
  /** Starts a runtime: `alice` at `acme.example` is `person('alice')`, bob at partner `person('bob', 'partner.example')`. */
  person(owner: string, domain?: string, device?: string): Promise<Runtime>;
  /** Starts a service, by default at `acme.example`. */
  serve(service: AnyService, options?: ServeOptions): Promise<MemoryService>;
  /** Stops everything. */
  stop(): Promise<void>;
}

/** Creates domains that share a clock. */
export function createMemoryDomains(clock: Clock = systemClock): MemoryDomains {
  const hub = createMemoryHub({ clock });
  const ends: (() => Promise<void>)[] = [];
  const start = async (
    domain: string,
    owner: string,
    rest: { device: string; store?: Store },
  ): Promise<Runtime> => {
    const address = runtimeAddress({ domain, owner, device: rest.device });
    const store = rest.store ? { store: rest.store } : {};
    const runtime = createRuntime({
      protostubs: [hub.protostub(address)],
      clock,
      logger: silentLogger,
      ...store,
    });
    ends.push(() => runtime.stop({ drainMs: 0 }));
    await runtime.start();
    return runtime;
  };
  return {
    hub,
    person: (owner, domain = 'acme.example', device = 'DESK') => start(domain, owner, { device }),
    serve: async (
      service,
      { domain = 'acme.example', store = createMemoryStore({ clock }), ...deps } = {},
    ) => {
      const name = service.contract.service;
      await service.start?.();
      const runtime = await start(domain, `${SERVICE_OWNER_PREFIX}${name}`, {
        device: SERVICE_DEVICE,
        store,
      });
      const served = runtime.services.serve(name, fabricHandler(createDispatcher(service, deps), domain));
      const stop = async (): Promise<void> => {
        await served.stop();
        await runtime.stop({ drainMs: 0 });
        await service.stop?.();
      };
      ends.push(stop);
      return { runtime, served, stop };
    },
    stop: async () => {
      for (const end of ends.splice(0).toReversed()) await end();
    },
  };
}
