/** `@hyperty/runtime/testing`: worlds in memory for authors of hyperties, and the contract suites. */
export type { ContractCase } from './contract-case.ts';
export type { Faults } from './faults.ts';
export { durableContract, type DurableSetup } from './durable-contract.ts';
export { createManualClock, type ManualClock } from './manual-clock.ts';
export { protostubContract, type ProtostubSetup } from './protostub-contract.ts';
export { storeContract, type StoreSetup } from './store-contract.ts';
export {
  createTestWorld,
  type TestRuntimeOptions,
  type TestWorld,
  type TestWorldOptions,
  type WorldFaults,
} from './test-world.ts';
