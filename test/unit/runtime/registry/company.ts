/** A company with a registry, on a clock that tests turn, and runtimes that register with it. */
import { createMemoryStore, createRuntime, defineHyperty, runtimeAddress, silentLogger, type RegistryEntry, type Runtime, type RuntimeOptions, type Store } from '@hyperty/runtime'; // prettier-ignore
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { setup } from 'xstate';
import { createRegistry } from '../../../../services/src/registry/registry.ts';
import {
  createMemoryDomains,
  type MemoryDomains,
  type MemoryService,
} from '../../../support/memory-domain.ts';

/** Something to host. */
export const greeter = defineHyperty({
  descriptor: { name: 'greeter', version: '1.2.0', description: 'Greets.', resources: ['chat'] },
  accepts: {},
  emits: {},
  machine: setup({}).createMachine({}),
});

/** A company with a registry. */
export interface Company {
  readonly clock: ManualClock;
  readonly domains: MemoryDomains;
  /** The registry's. It outlives it. */
  readonly store: Store;
  /** Store of the registry's runtime. */
  readonly runtimeStore: Store;
  /** Serves the registry; before, or anew. */
  serve(): Promise<MemoryService>;
  /** Starts a runtime that registers itself; `hosts` is called before. */
  registering(
    owner: string,
    options?: Partial<RuntimeOptions> & { readonly device?: string },
  ): Promise<Runtime>;
  /** Lets time pass until something holds. */
  eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void>;
  stop(): Promise<void>;
}

/** Opens acme. */
export function openCompany(): Company {
  const clock = createManualClock();
  const domains = createMemoryDomains(clock);
  const [store, runtimeStore] = [createMemoryStore({ clock }), createMemoryStore({ clock })];
  const runtimes: Runtime[] = [];
  return {
    clock,
    domains,
    store,
    runtimeStore,
    serve: () => clock.until(domains.serve(createRegistry({ store, clock }), { store: runtimeStore })),
    registering: async (owner, { device = 'DESK', ...options } = {}) => {
      const address = runtimeAddress({ domain: 'acme.example', owner, device });
      const runtime = createRuntime({
        protostubs: [domains.hub.protostub(address)],
        clock,
        logger: silentLogger,
        registry: {},
        ...options,
      });
      runtimes.push(runtime);
      await runtime.start();
      return runtime;
    },
    eventually: async (holds, what) => {
      for (let turns = 0; turns < 600; turns += 1) {
        if (await holds()) return;
        await clock.advance(100);
      }
      throw new Error(`Not within a minute: ${what}`);
    },
    stop: async () => {
      await clock.until(Promise.all(runtimes.map((runtime) => runtime.stop({ drainMs: 0 }))));
      await clock.until(domains.stop());
      await store.close();
      await runtimeStore.close();
    },
  };
}

/** Addresses and states. */
export const statesOf = (entries: readonly RegistryEntry[]): Record<string, string> =>
  Object.fromEntries(entries.map(({ address, state }) => [address, state]));
