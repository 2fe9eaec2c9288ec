/**
 * The contract of durable life as a list of cases that any test runner can run, in Node.js and in browsers: what durable
 * hyperties promise when their processes end, are several, or have a store in trouble. Every store runs it, the one in
 * memory included. It runs on the real clock.
 */
import type { ContractCase } from './contract-case.ts';
import { durableCaseOf, type DurableSetup } from './durable-contract/durable-case.ts';
import { lifeCases } from './durable-contract/life-cases.ts';
import { sharingCases } from './durable-contract/sharing-cases.ts';
import { timeCases } from './durable-contract/time-cases.ts';
import { troubleCases } from './durable-contract/trouble-cases.ts';

export type { DurableSetup } from './durable-contract/durable-case.ts';

/**
 * The cases of the contract; one takes up to three seconds.
 * @example
 * ```ts
 * import { createMemoryMedium, createMemoryStore } from '@hyperty/runtime';
 * import { durableContract } from '@hyperty/runtime/testing';
 *
 * const cases = durableContract({
 *   create: async () => {
 *     const medium = createMemoryMedium();
 *     return async () => createMemoryStore({ medium });
 *   },
 * });
 * // With mocha: for (const { name, run } of cases) it(name, run);
 * const [first] = cases;
 * await first?.run();
 * ```
 */
export const durableContract = (setup: DurableSetup): readonly ContractCase[] =>
  [...lifeCases, ...timeCases, ...troubleCases, ...sharingCases].map((written) =>
    durableCaseOf(setup, written),
  );
