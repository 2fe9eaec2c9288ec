/** What the cases of the durable contract are made of. */
import { runtimeAddress } from '../../message/address.ts';
import { silentLogger } from '../../platform/logger.ts';
import { systemClock } from '../../platform/clock.ts';
import { createMemoryHub, type MemoryHub } from '../../protostub/memory.ts';
import { createRuntime, type Runtime } from '../../runtime.ts';
import type { Store } from '../../store/store.ts';
import type { ContractCase } from '../contract-case.ts';
import type { StoreSetup } from '../store-contract/store-case.ts';
import { eventuallyWithin, type Eventually } from '../waiting.ts';
import { createMortalClock } from './mortal-clock.ts';
import { createMortalStore, type MortalStore } from './mortal-store.ts';
import { alarm, createBuyer, createCounter, teller, type Outside } from './party.ts';

/** How a test makes stores of one implementation. */
export interface DurableSetup extends Pick<StoreSetup, 'create' | 'timeoutMs'> {
  /** A process that is silent for this long is taken for dead. Default 300 ms; more where the medium is slow. */
  readonly leaseMs?: number;
}

/** How one process is started. */
export interface ProcessOptions {
  /** Processes of a company that live at one time need two. Default `pc`. */
  readonly device?: string;
  /** Times the lease of the setup: what is asked of another process is waited for that much longer. Default 1. */
  readonly leases?: number;
  /** Hosts what the process runs. Default: one of each of the party. */
  readonly host?: (runtime: Runtime) => void;
}

/** One process of a company, on a store of its own. */
export interface Process {
  readonly runtime: Runtime;
  readonly store: MortalStore;
  /** Asks one of the company's hyperties. */
  ask(name: string, event: { readonly type: string; readonly [field: string]: unknown }): Promise<unknown>;
  /** Ends it without a word. */
  kill(): void;
  /** Ends it in order. */
  stop(): Promise<void>;
}

/** One account with a medium of its own. */
export interface Company {
  /** Address of one of its hyperties. */
  at(name: string): string;
  start(options?: ProcessOptions): Promise<Process>;
}

/** One case under way. */
export interface DurableStage {
  readonly outside: Outside;
  readonly counter: ReturnType<typeof createCounter>;
  /** Makes a company with an empty medium. @param domain such as `acme.example` */
  readonly company: (domain: string) => Promise<Company>;
  /** Loses all that goes from one domain to another one, until this is ended with undefined. */
  lose(way: { readonly from: string; readonly to: string } | undefined): void;
  readonly eventually: Eventually;
}

/** One case, before it knows whose stores it tries. */
export interface DurableCase {
  readonly name: string;
  readonly act: (stage: DurableStage) => Promise<void>;
}

/** Writes a case. */
export const durableCase = (name: string, act: DurableCase['act']): DurableCase => ({ name, act });

/** Links between processes on one machine; who is silent is found out soon. */
const LINKS = { minResendMs: 100, ackDelayMs: 20 };
const LEASE_MS = 300;
const PASSIVATE_AFTER_MS = 150;
const TIMEOUT_MS = 10_000;

/** What all processes of a case share. */
interface World {
  readonly setup: DurableSetup;
  readonly hub: MemoryHub;
  readonly host: (runtime: Runtime) => void;
  readonly running: Set<Process>;
  readonly opened: Store[];
}

/** Makes a case for one implementation; processes end and stores are closed at its end, whatever happened. */
export const durableCaseOf = (setup: DurableSetup, { name, act }: DurableCase): ContractCase => ({
  name,
  async run() {
    const outside: Outside = { deliveries: [], hold: undefined, isTrapSet: false };
    const counter = createCounter(outside);
    const buyer = createBuyer(outside);
    let lost: { readonly from: string; readonly to: string } | undefined;
    const isLost = (from: string, to: string): boolean =>
      lost !== undefined && from.includes(lost.from) && to.includes(lost.to);
    const hub = createMemoryHub({
      clock: systemClock,
      faults: (from, to) => ({ copies: isLost(from, to) ? 0 : 1, delayMs: 0 }),
    });
    const host = (runtime: Runtime): void => {
      runtime.host(counter, { maxAttempts: 2 });
      runtime.host(teller);
      runtime.host(buyer);
      runtime.host(alarm);
    };
    const world: World = { setup, hub, host, running: new Set(), opened: [] };
    try {
      await act({
        outside,
        counter,
        company: (domain) => createCompany(domain, world),
        lose: (way) => void (lost = way),
        eventually: eventuallyWithin(setup.timeoutMs ?? TIMEOUT_MS),
      });
    } finally {
      await Promise.all([...world.running].map((process) => process.stop()));
      await Promise.all(world.opened.map((store) => store.close()));
    }
  },
});

async function createCompany(domain: string, world: World): Promise<Company> {
  const openStore = await world.setup.create();
  return {
    at: (name) => `hyperty://${domain}/alice/${name}`,
    async start(options = {}) {
      const store = await openStore();
      world.opened.push(store);
      const process = createProcess({ domain, store, ...options }, world);
      world.running.add(process);
      await process.runtime.start();
      return process;
    },
  };
}

interface Birth extends ProcessOptions {
  readonly domain: string;
  readonly store: Store;
}

function createProcess(birth: Birth, world: World): Process {
  const { domain, store: medium, device = 'pc', leases = 1, host } = birth;
  const { hub, running, setup } = world;
  const [store, clock] = [createMortalStore(medium), createMortalClock()];
  const address = runtimeAddress({ domain, owner: 'alice', device });
  const runtime = createRuntime({
    protostubs: [hub.protostub(address)],
    ...{ store, clock, links: LINKS, logger: silentLogger },
    durable: { leaseMs: leases * (setup.leaseMs ?? LEASE_MS), passivateAfterMs: PASSIVATE_AFTER_MS },
  });
  (host ?? world.host)(runtime);
  const process: Process = {
    runtime,
    store,
    ask: (name, event) => runtime.ask(`hyperty://${domain}/alice/${name}`, event),
    kill() {
      running.delete(process);
      store.kill();
      clock.kill();
      hub.disconnect(address);
    },
    async stop() {
      running.delete(process);
      await runtime.stop({ drainMs: 0 });
    },
  };
  return process;
}
