/**
 * A local world: two companies, each with a real homeserver, that federate over TLS on this machine. It lives in one
 * folder, is made at its first start and used again later. One process runs it; others may use it meanwhile.
 */
import { resolve } from 'node:path';
import { FabricError } from '@hyperty/runtime';
import { logInAccount, type LogInOptions, type Session } from './account.ts';
import {
  companyFolder,
  companyNames,
  planCompanies,
  type Company,
  type CompanyName,
  type CompanyPorts,
} from './company.ts';
import { removeHalfWrittenWorld, writeWorldFiles } from './creation.ts';
import { createHomeserver, endStale, type Homeserver } from './homeserver.ts';
import { lockHolder, tryLock, type ProcessLock } from './process-lock.ts';
import { step, type Progress } from './progress.ts';
import { findPython } from './python.ts';
import { waitForFederation } from './readiness.ts';
import { takeSession, type SessionLease } from './session-pool.ts';
import { explainStorageFailure } from './storage-failure.ts';
import { completeWorld, readWorld, worldPaths, type WorldState } from './world-file.ts';

/** Where a world is and how it is made. */
export interface WorldOptions {
  /** Its folder; `.world` under the current folder by default. */
  readonly dir?: string;
  /** A Python that has Synapse; found as `findPython` says by default. */
  readonly python?: string;
  /** Ports for a new world; an existing one keeps its own. The usual ones, or the next free, by default. */
  readonly ports?: Readonly<Record<CompanyName, CompanyPorts>>;
  /** How long one homeserver may take to answer, and both to reach each other; 60 s by default. */
  readonly startDeadlineMs?: number;
}

/** The world as those see it who only use it. */
export interface OpenWorld {
  /** The folder, absolute. */
  readonly dir: string;
  readonly companies: readonly Company[];
  company(name: CompanyName): Company;
  /** Logs a new device in to an account of a company, making the account when there is none. */
  logIn(name: CompanyName, options: LogInOptions): Promise<Session>;
  /** Takes a session of an account for as long as one runtime needs it; see `SessionLease`. */
  takeSession(name: CompanyName, options: { localpart: string; signal?: AbortSignal }): Promise<SessionLease>;
}

/** A world that this process runs. */
export interface World extends Omit<OpenWorld, 'companies'> {
  /** Known once it has been started. @throws TypeError before */
  readonly companies: readonly Company[];
  homeserver(name: CompanyName): Homeserver;
  /**
   * Makes the world when it is absent or half-written, starts both homeservers in parallel and waits until they reach
   * each other. When it fails or is interrupted, nothing is left running.
   * @throws FabricError that says what to do: `conflict` (already running, port taken), `not-found` (no Synapse),
   * `crashed`, `timeout`, `cancelled`, `internal` (disk full, read-only, …)
   */
  start(signal?: AbortSignal): Promise<void>;
  /** Stops everything that `start` started; the folder stays. */
  stop(): Promise<void>;
  /** Calls `listener` when a homeserver ends without having been told to. Returns the undo. */
  onCrash(listener: (error: FabricError) => void): () => void;
}

/**
 * The world in a folder, for use while another process runs it.
 * @throws FabricError `not-found` when there is none
 */
export async function openWorld(dir: string): Promise<OpenWorld> {
  const folder = resolve(dir);
  const state = await readWorld(folder);
  if (state.kind !== 'complete') {
    throw new FabricError('not-found', `There is no world at ${folder}. "hyperty up" makes and starts one.`);
  }
  return createOpenWorld(folder, state.world.companies);
}

/** A world in a folder, not yet running. */
export function createWorld(options: WorldOptions = {}, deps: { progress?: Progress } = {}): World {
  const dir = resolve(options.dir ?? '.world');
  const { progress = () => undefined } = deps;
  const crashListeners = new Set<(error: FabricError) => void>();
  let running: RunningWorld | undefined;

  const whileRunning = (): RunningWorld => {
    if (running === undefined) throw new TypeError('the world has not been started');
    return running;
  };

  return {
    dir,
    get companies() {
      return whileRunning().open.companies;
    },
    company: (name) => whileRunning().open.company(name),
    homeserver: (name) => whileRunning().homeservers[name],
    logIn: (name, account) => whileRunning().open.logIn(name, account),
    takeSession: (name, account) => whileRunning().open.takeSession(name, account),
    start: async (signal) => {
      running ??= await startWorld({ ...options, dir }, progress, signal);
      for (const name of companyNames) {
        running.homeservers[name].onCrash((error) => {
          for (const listener of crashListeners) listener(error);
        });
      }
    },
    stop: async () => {
      const stopping = running;
      running = undefined;
      if (stopping !== undefined) await stopWorld(stopping);
    },
    onCrash: (listener) => {
      crashListeners.add(listener);
      return () => {
        crashListeners.delete(listener);
      };
    },
  };
}

interface RunningWorld {
  readonly open: OpenWorld;
  readonly homeservers: Readonly<Record<CompanyName, Homeserver>>;
  readonly lock: ProcessLock;
}

async function startWorld(
  options: WorldOptions & { dir: string },
  progress: Progress,
  signal?: AbortSignal,
): Promise<RunningWorld> {
  const { dir } = options;
  try {
    await readWorld(dir);
    const python = await findPython(options.python);
    const lock = await lockWorld(dir);
    try {
      const state = await readWorld(dir);
      const companies = await prepare(state, options, progress);
      const open = createOpenWorld(dir, companies);
      const homeserver = (name: CompanyName): Homeserver =>
        createHomeserver({ ...options, company: open.company(name), python, progress });
      const world = { open, homeservers: { acme: homeserver('acme'), partner: homeserver('partner') }, lock };
      await bringUp(world, { isNew: state.kind !== 'complete', options, progress, signal });
      return world;
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw explainStorageFailure(error, dir);
  }
}

async function lockWorld(dir: string): Promise<ProcessLock> {
  const path = worldPaths(dir).lock;
  const lock = await tryLock(path);
  if (lock !== undefined) return lock;
  const holder = await lockHolder(path);
  const who = holder === undefined ? '' : ` by process ${String(holder.pid)}`;
  throw new FabricError(
    'conflict',
    `The world at ${dir} is already run${who}. Use it ("hyperty run FILE", "hyperty status"), stop it ("hyperty down"), or run another one with --dir.`,
    { details: { dir, ...(holder === undefined ? {} : { pid: holder.pid }) } },
  );
}

/** The companies of a complete world, or those of one that is made now. */
async function prepare(
  state: WorldState,
  options: WorldOptions & { dir: string },
  progress: Progress,
): Promise<readonly Company[]> {
  if (state.kind === 'complete') return state.world.companies;
  const { dir } = options;
  const companies = await planCompanies(options.ports);
  if (state.kind === 'half-written') {
    for (const company of companies) await endStale(companyFolder(dir, company.name), company, progress);
    await removeHalfWrittenWorld(dir);
    progress({ kind: 'warning', text: 'an earlier set-up of this world was interrupted; making it anew' });
  }
  await step(progress, `made keys, certificates and secrets in ${dir}`, () =>
    writeWorldFiles(dir, companies),
  );
  return companies;
}

interface BringUpOptions {
  readonly isNew: boolean;
  readonly options: WorldOptions;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/** Starts both homeservers; when anything fails, stops both before it throws. */
async function bringUp(world: RunningWorld, context: BringUpOptions): Promise<void> {
  const { isNew, options, progress, signal } = context;
  const { dir, companies, company } = world.open;
  const failed = new AbortController();
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  try {
    await step(
      progress,
      `started the homeservers of ${companies.map((it) => `${it.name} (${it.baseUrl})`).join(' and ')}`,
      () =>
        allOrFirstFailure(
          companyNames.map((name) => world.homeservers[name].start(either)),
          failed,
        ),
    );
    if (isNew) {
      await step(
        progress,
        `made accounts for ${companies.map((it) => `${it.person} at ${it.name}`).join(' and ')}`,
        () =>
          allOrFirstFailure(
            companies.map((it) => createPerson(world.open, it, either)),
            failed,
          ),
      );
    }
    const wait = { deadlineMs: options.startDeadlineMs ?? 60_000, signal: either };
    await step(progress, 'both homeservers reach each other over TLS', () =>
      allOrFirstFailure(
        [
          waitForFederation(company('acme'), company('partner'), wait),
          waitForFederation(company('partner'), company('acme'), wait),
        ],
        failed,
      ),
    );
    if (isNew) await completeWorld(dir, companies);
  } catch (error) {
    await stopHomeservers(world);
    throw error;
  }
}

/** Waits for all, and ends the others by `failed` when one fails; then throws that first failure. */
async function allOrFirstFailure(runs: readonly Promise<void>[], failed: AbortController): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(
    runs.map((run) =>
      run.catch((error: unknown) => {
        failures.push(error);
        failed.abort();
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}

/** Makes the account of a company's person together with the first of its sessions. */
async function createPerson(world: OpenWorld, company: Company, signal: AbortSignal): Promise<void> {
  const lease = await world.takeSession(company.name, { localpart: company.person, signal });
  await lease.release();
}

async function stopWorld(world: RunningWorld): Promise<void> {
  await stopHomeservers(world);
  await world.lock.release();
}

async function stopHomeservers(world: RunningWorld): Promise<void> {
  await Promise.all(companyNames.map((name) => world.homeservers[name].stop()));
}

function createOpenWorld(dir: string, companies: readonly Company[]): OpenWorld {
  const company = (name: CompanyName): Company => {
    const found = companies.find((it) => it.name === name);
    if (found === undefined) throw new TypeError(`no company ${name} in this world`);
    return found;
  };
  return {
    dir,
    companies,
    company,
    logIn: (name, options) => logInAccount(dir, company(name), options),
    takeSession: (name, options) => takeSession(dir, company(name), options),
  };
}
