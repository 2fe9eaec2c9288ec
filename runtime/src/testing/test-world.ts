/**
 * A test world: runtimes of any domains in one process, on one in-memory hub and one manual clock, with faults that
 * follow from a seed. What works here works on real message nodes as far as their protostubs keep the contract.
 */
import { addressParts, runtimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Clock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { createMemoryHub, type MemoryHub } from '../protostub/memory.ts';
import { createRuntime, type Runtime } from '../runtime.ts';
import type { RuntimeOptions } from '../runtime-types.ts';
import { createFaults, createSeededRandom, type Faults } from './faults.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

/** What a world is made of. */
export interface TestWorldOptions {
  /** Faults, ids and jitter follow from it. Default 1. */
  readonly seed?: number;
  /** Options of every runtime; those of {@link TestWorld.runtime} come first. Default: a silent logger. */
  readonly runtime?: Omit<RuntimeOptions, 'protostubs' | 'clock' | 'random'>;
  /** Largest frame in bytes. Default 48 KiB. */
  readonly maxFrameBytes?: number;
}

/** How one runtime differs from the others. */
export interface TestRuntimeOptions extends Omit<RuntimeOptions, 'protostubs' | 'clock' | 'random'> {
  /** Its device. Two runtimes of an account at one time need two. Default `pc`. */
  readonly device?: string;
  /** A clock of its own, such as one that is wrong. Default: that of the world. */
  readonly clock?: Clock;
}

/** Faults of a world's network, and runtimes that lose it. */
export interface WorldFaults extends Faults {
  /** Cuts one runtime off; its protostub is `backing-off` until {@link WorldFaults.reconnect}. */
  disconnect(runtime: Runtime): void;
  reconnect(runtime: Runtime): void;
  /** Cuts one runtime off for ever, as if its process had been killed: it is not stopped with the world. */
  kill(runtime: Runtime): void;
}

/** Several domains in one process. */
export interface TestWorld {
  readonly clock: ManualClock;
  readonly faults: WorldFaults;
  /** Makes a runtime that the test starts itself. @throws FabricError `invalid` when `account` is none */
  create(account: string, options?: TestRuntimeOptions): Runtime;
  /** Starts a runtime of an account written `owner@domain`. @throws FabricError `invalid` when it is none */
  runtime(account: string, options?: TestRuntimeOptions): Promise<Runtime>;
  /** Waits until everything that needs no time is done. */
  settle(): Promise<void>;
  /** Lets time pass; see {@link ManualClock.advance}. */
  advance(ms: number): Promise<void>;
  /** Lets as much time pass as `work` needs; see {@link ManualClock.until}. */
  until<T>(work: Promise<T>): Promise<T>;
  /** Stops all runtimes; nothing is sent any more but what closing says. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Creates a world without runtimes.
 * @example
 * ```ts
 * import { createTestWorld } from '@hyperty/runtime/testing';
 *
 * const world = createTestWorld({ seed: 7 });
 * const alice = await world.runtime('alice@acme.example');
 * const bob = await world.runtime('bob@partner.example', { device: 'phone' });
 * world.faults.drop(0.5);
 * const hello = alice.ask('hyperty://partner.example/bob/greeter', { type: 'greet' });
 * await world.until(hello).catch(console.error); // nobody hosts it
 * world.faults.disconnect(bob);
 * await world.advance(60_000);
 * await world.stop();
 * ```
 */
export function createTestWorld(options: TestWorldOptions = {}): TestWorld {
  const random = createSeededRandom(options.seed ?? 1);
  const clock = createManualClock();
  const { plan, ...faults } = createFaults(random);
  const { maxFrameBytes } = options;
  const size = maxFrameBytes === undefined ? {} : { maxFrameBytes };
  const hub = createMemoryHub({ clock, faults: plan, ...size });
  const runtimes: Runtime[] = [];
  const create: TestWorld['create'] = (account, { device = 'pc', ...own } = {}) => {
    const runtime = createRuntime({
      logger: silentLogger,
      ...options.runtime,
      clock,
      ...own,
      random: (bytes) => Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256)),
      protostubs: [hub.protostub(runtimeAddress({ ...accountParts(account), device }))],
    });
    runtimes.push(runtime);
    return runtime;
  };
  return {
    clock,
    faults: { ...faults, ...lossesOf(hub, runtimes) },
    create,
    async runtime(account, own) {
      const runtime = create(account, own);
      await clock.until(runtime.start());
      return runtime;
    },
    settle: () => clock.settle(),
    advance: (ms) => clock.advance(ms),
    until: (work) => clock.until(work),
    async stop() {
      const stopping = runtimes.splice(0).map((runtime) => runtime.stop({ drainMs: 0 }));
      await clock.until(Promise.all(stopping));
    },
  };
}

/** How runtimes lose their network, for a while or for ever. */
const lossesOf = (
  hub: MemoryHub,
  runtimes: Runtime[],
): Pick<WorldFaults, 'disconnect' | 'reconnect' | 'kill'> => ({
  disconnect: ({ address }) => hub.disconnect(address),
  reconnect: ({ address }) => hub.reconnect(address),
  kill(runtime) {
    hub.disconnect(runtime.address);
    runtimes.splice(runtimes.indexOf(runtime), 1);
  },
});

/** Owner and domain of `alice@acme.example`. */
function accountParts(account: string): { readonly owner: string; readonly domain: string } {
  const at = account.lastIndexOf('@');
  if (at < 1)
    throw new FabricError('invalid', `"${account}" is no account: expected one such as alice@acme.example.`);
  return { owner: account.slice(0, at), domain: addressParts(`domain://${account.slice(at + 1)}`).domain };
}
