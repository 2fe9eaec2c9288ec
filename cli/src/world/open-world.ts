/**
 * A world as those see it who use it while it runs, in this process or another one.
 */
import { resolve } from 'node:path';
import type { Session } from '@hyperty/bridge';
import { FabricError } from '@hyperty/runtime';
import { logInAccount, type AccountLogIn } from './account.ts';
import { companyNamed, type Company, type CompanyName } from './company.ts';
import { takeSession, type SessionLease, type SessionRequest } from './session-pool.ts';
import { readWorld } from './world-file.ts';

/** The companies of a world and their accounts. */
export interface OpenWorld {
  /** The folder, absolute. */
  readonly dir: string;
  readonly companies: readonly Company[];
  company(name: CompanyName): Company;
  /** Logs a new device in to an account of a company, making the account when there is none. */
  logIn(name: CompanyName, options: AccountLogIn): Promise<Session>;
  /** Takes a session of an account for as long as one runtime needs it; see `SessionLease`. */
  takeSession(name: CompanyName, request: SessionRequest): Promise<SessionLease>;
}

/**
 * The world in a folder; whether it runs shows when it is used.
 * @throws FabricError `not-found` when there is none, and as `readWorld` does
 */
export async function openWorld(dir: string): Promise<OpenWorld> {
  const folder = resolve(dir);
  const state = await readWorld(folder);
  if (state.kind !== 'complete') {
    throw new FabricError('not-found', `There is no world at ${folder}. "hyperty up" makes and starts one.`);
  }
  return createOpenWorld(folder, state.world.companies);
}

/** The world in `dir` (absolute) with these companies. */
export function createOpenWorld(dir: string, companies: readonly Company[]): OpenWorld {
  const company = (name: CompanyName): Company => companyNamed(companies, name);
  return {
    dir,
    companies,
    company,
    logIn: (name, options) => logInAccount(dir, company(name), options),
    takeSession: (name, request) => takeSession(dir, company(name), request),
  };
}
