/**
 * The parts of the `hyperty` command that programs may use too: a local two-company world on real homeservers.
 */
export type { AccountLogIn } from './world/account.ts';
export type { Company, CompanyName, CompanyPorts } from './world/company.ts';
export type { Homeserver } from './world/homeserver.ts';
export type { Progress, ProgressLine } from './world/progress.ts';
export { findPython } from './world/python.ts';
export type { SessionLease } from './world/session-pool.ts';
export { openWorld, type OpenWorld } from './world/open-world.ts';
export { createWorld, type World, type WorldOptions } from './world/world.ts';
