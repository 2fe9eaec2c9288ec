/** `@hyperty/runtime/testing`: worlds in memory for authors of hyperties, and the contract suite for protostubs. */
export type { Faults } from './faults.ts';
export { createManualClock, type ManualClock } from './manual-clock.ts';
export { protostubContract, type ContractCase, type ProtostubSetup } from './protostub-contract.ts';
export {
  createTestWorld,
  type TestRuntimeOptions,
  type TestWorld,
  type TestWorldOptions,
  type WorldFaults,
} from './test-world.ts';
