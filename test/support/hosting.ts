/** Alice's runtime and bob's, in a world in memory, for tests of what bob hosts. */
import { FabricError, type ErrorCode, type Hosted, type HostOptions, type Runtime } from '@hyperty/runtime';
import { createTestWorld, type TestWorld, type TestWorldOptions } from '@hyperty/runtime/testing';
import { workshop } from './workshop.ts';

/** Two runtimes of two companies. */
export interface Pair {
  readonly world: TestWorld;
  readonly alice: Runtime;
  readonly bob: Runtime;
}

/** Starts alice at acme and bob at partner. */
export async function startPair(options: TestWorldOptions = {}): Promise<Pair> {
  const world = createTestWorld(options);
  const alice = await world.runtime('alice@acme.example');
  const bob = await world.runtime('bob@partner.example');
  return { world, alice, bob };
}

/** The workshop as a runtime hosts it. */
export type HostedWorkshop = Hosted<
  typeof workshop.accepts,
  typeof workshop.emits,
  { readonly count: number }
>;

/** Hosts the workshop. */
export const hostWorkshop = (runtime: Runtime, options: HostOptions = {}): HostedWorkshop =>
  runtime.host(workshop, { input: {}, ...options });

/** For `assert.rejects` and `assert.throws`: a FabricError of that code, whose message fits. */
export const failsWith =
  (code: ErrorCode, says = /(?:)/) =>
  (error: unknown): boolean => {
    if (error instanceof FabricError && error.code === code && says.test(error.message)) return true;
    throw new Error(`expected a FabricError "${code}" that says ${says.source}`, { cause: error });
  };
