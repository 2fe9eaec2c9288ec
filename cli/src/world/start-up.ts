/**
 * The steps from two homeservers on disk to a world that works, each of them for both companies at once.
 */
import { step, type Progress } from './progress.ts';
import { waitForFederation } from './readiness.ts';
import { takeSession } from './session-pool.ts';
import { companyNames, type Company, type CompanyName } from './company.ts';
import type { Homeserver } from './homeserver.ts';
import { completeWorld } from './world-file.ts';

/** What is brought up. */
export interface StartUp {
  readonly dir: string;
  readonly companies: Readonly<Record<CompanyName, Company>>;
  readonly homeservers: Readonly<Record<CompanyName, Homeserver>>;
  /** True for a world that has no accounts yet and is not marked as complete. */
  readonly isNew: boolean;
  readonly deadlineMs: number;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/**
 * Starts both homeservers, makes the accounts of a new world, and waits until the companies reach each other.
 * @throws FabricError of whichever step failed first; the homeservers may then still run
 */
export async function startUp(options: StartUp): Promise<void> {
  const { dir, companies, homeservers, isNew, progress } = options;
  const both = companyNames.map((name) => companies[name]);
  const inParallel = createParallel(options.signal);
  const list = (describe: (company: Company) => string): string => both.map(describe).join(' and ');

  await step(
    progress,
    `started the homeservers of ${list(({ name, baseUrl }) => `${name} (${baseUrl})`)}`,
    () => inParallel(companyNames, (name, signal) => homeservers[name].start(signal)),
  );
  if (isNew) {
    await step(progress, `made accounts for ${list(({ person, name }) => `${person} at ${name}`)}`, () =>
      inParallel(both, (company, signal) => createPerson(dir, company, signal)),
    );
  }
  await step(progress, 'both homeservers reach each other over TLS', () =>
    inParallel(companyNames, (name, signal) => {
      const other = companies[name === 'acme' ? 'partner' : 'acme'];
      return waitForFederation(companies[name], other, { deadlineMs: options.deadlineMs, signal });
    }),
  );
  if (isNew) await completeWorld(dir, both);
}

type Parallel = <T>(
  items: readonly T[],
  run: (item: T, signal: AbortSignal) => Promise<void>,
) => Promise<void>;

/** Runs something for all items and waits for all; when one fails, the others are interrupted and it is thrown. */
function createParallel(outer: AbortSignal | undefined): Parallel {
  return async (items, run) => {
    const failed = new AbortController();
    const signal = outer === undefined ? failed.signal : AbortSignal.any([outer, failed.signal]);
    const failures: unknown[] = [];
    const runs = items.map(async (item) => {
      try {
        await run(item, signal);
      } catch (error) {
        failures.push(error);
        failed.abort();
      }
    });
    await Promise.all(runs);
    if (failures.length > 0) throw failures[0];
  };
}

/** Makes the account of a company's person together with the first of its sessions. */
async function createPerson(dir: string, company: Company, signal: AbortSignal): Promise<void> {
  const lease = await takeSession(dir, company, { localpart: company.person, signal });
  await lease.release();
}
