/**
 * The contract of a store as a list of cases that any test runner can run, in Node.js and in browsers. Every
 * implementation runs it, the one in memory included.
 */
import type { ContractCase } from './contract-case.ts';
import { commitCases } from './store-contract/commit-cases.ts';
import { leaseCases } from './store-contract/lease-cases.ts';
import { readCases } from './store-contract/read-cases.ts';
import { caseOf, type StoreSetup } from './store-contract/store-case.ts';
import { watchCases } from './store-contract/watch-cases.ts';

export type { StoreSetup } from './store-contract/store-case.ts';

/**
 * The cases of the contract.
 * @example
 * ```ts
 * import { createMemoryMedium, createMemoryStore } from '@hyperty/runtime';
 * import { storeContract } from '@hyperty/runtime/testing';
 *
 * const cases = storeContract({
 *   create: async () => {
 *     const medium = createMemoryMedium();
 *     return async () => createMemoryStore({ medium });
 *   },
 *   outlivesClose: true,
 * });
 * // With mocha: for (const { name, run } of cases) it(name, run);
 * for (const { run } of cases) await run();
 * ```
 */
export const storeContract = (setup: StoreSetup): readonly ContractCase[] =>
  [...readCases, ...commitCases, ...leaseCases, ...watchCases].map((written) => caseOf(setup, written));
