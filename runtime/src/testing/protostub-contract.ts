/**
 * The contract of a protostub as a list of cases that any test runner can run: each has a name and a function that
 * rejects when the stub breaks the contract. Every implementation runs it, the one in memory included.
 */
import { controlCases } from './protostub-contract/control-cases.ts';
import { frameCases } from './protostub-contract/frame-cases.ts';
import { mediaCases } from './protostub-contract/media-cases.ts';
import type { ContractCase } from './contract-case.ts';
import type { ProtostubSetup } from './protostub-contract/stub-case.ts';

export type { ProtostubSetup } from './protostub-contract/stub-case.ts';

/**
 * The cases of the contract. A stub without a media store passes those about media.
 * @example
 * ```ts
 * import { createMemoryHub, runtimeAddress, systemClock } from '@hyperty/runtime';
 * import { protostubContract } from '@hyperty/runtime/testing';
 *
 * const hub = createMemoryHub({ clock: systemClock });
 * const domains = { alice: 'acme.example', bob: 'partner.example' };
 * let devices = 0;
 * const cases = protostubContract({
 *   create: async (owner) =>
 *     hub.protostub(runtimeAddress({ domain: domains[owner], owner, device: `device-${(devices += 1)}` })),
 * });
 * // With mocha: for (const { name, run } of cases) it(name, run);
 * for (const { run } of cases) await run();
 * ```
 */
export const protostubContract = (setup: ProtostubSetup): readonly ContractCase[] => [
  ...controlCases(setup),
  ...frameCases(setup),
  ...mediaCases(setup),
];
