/**
 * A local world: two companies, each with a real homeserver, that federate over TLS on this machine. It lives in one
 * folder, is made at its first start and used again later. One process runs it; others may use it meanwhile.
 */
import { resolve } from 'node:path';
import { FabricError } from '@hyperty/runtime';
import { companyNames, planCompanies, type Company, type CompanyName, type CompanyPorts } from './company.ts';
import { removeHalfWrittenWorld, writeWorldFiles } from './creation.ts';
import { createHomeserver, endStaleHomeserver, type Homeserver } from './homeserver.ts';
import { createOpenWorld, type OpenWorld } from './open-world.ts';
import { lockHolder, tryLock, type ProcessLock } from './process-lock.ts';
import { step, type Progress } from './progress.ts';
import { findPython } from './python.ts';
import { startUp } from './start-up.ts';
import { explainStorageFailure } from './storage-failure.ts';
import { readWorld, worldPaths, type WorldState } from './world-file.ts';

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

/** A world that this process runs; what `OpenWorld` offers throws a TypeError while it does not. */
export interface World extends OpenWorld {
  homeserver(name: CompanyName): Homeserver;
  /**
   * Makes the world when it is absent or half-written, starts both homeservers in parallel and waits until they reach
   * each other. Does nothing when it runs. When it fails or is interrupted, nothing is left running.
   * @throws FabricError that says what to do: `conflict` (already running, port taken), `not-found` (no Synapse),
   * `crashed`, `timeout`, `cancelled`, `internal` (disk full, read-only, …)
   */
  start(signal?: AbortSignal): Promise<void>;
  /** Stops everything that `start` started; the folder stays. */
  stop(): Promise<void>;
  /** Calls `listener` when a homeserver ends without having been told to. Returns the undo. */
  onCrash(listener: (error: FabricError) => void): () => void;
}

/** A world in a folder, not yet running. */
export function createWorld(options: WorldOptions = {}, deps: { progress?: Progress } = {}): World {
  return new LocalWorld(options, deps.progress ?? (() => undefined));
}

interface RunningWorld {
  readonly open: OpenWorld;
  readonly homeservers: Readonly<Record<CompanyName, Homeserver>>;
  readonly lock: ProcessLock;
}

class LocalWorld implements World {
  readonly dir: string;
  readonly #options: WorldOptions;
  readonly #progress: Progress;
  readonly #crashListeners = new Set<(error: FabricError) => void>();
  #starting: Promise<RunningWorld> | undefined;
  #running: RunningWorld | undefined;

  constructor(options: WorldOptions, progress: Progress) {
    this.dir = resolve(options.dir ?? '.world');
    this.#options = options;
    this.#progress = progress;
  }

  get companies(): readonly Company[] {
    return this.#run.open.companies;
  }

  company(name: CompanyName): Company {
    return this.#run.open.company(name);
  }

  homeserver(name: CompanyName): Homeserver {
    return this.#run.homeservers[name];
  }

  async logIn(...account: Parameters<OpenWorld['logIn']>): ReturnType<OpenWorld['logIn']> {
    return this.#run.open.logIn(...account);
  }

  async takeSession(...account: Parameters<OpenWorld['takeSession']>): ReturnType<OpenWorld['takeSession']> {
    return this.#run.open.takeSession(...account);
  }

  async start(signal?: AbortSignal): Promise<void> {
    this.#starting ??= this.#start(signal);
    try {
      this.#running = await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw explainStorageFailure(error, this.dir);
    }
  }

  async stop(): Promise<void> {
    const running = await this.#starting?.catch(() => undefined);
    this.#starting = undefined;
    this.#running = undefined;
    if (running === undefined) return;
    await stopHomeservers(running.homeservers);
    await running.lock.release();
  }

  onCrash(listener: (error: FabricError) => void): () => void {
    this.#crashListeners.add(listener);
    return () => this.#crashListeners.delete(listener);
  }

  get #run(): RunningWorld {
    if (this.#running === undefined) throw new TypeError('the world has not been started');
    return this.#running;
  }

  async #start(signal: AbortSignal | undefined): Promise<RunningWorld> {
    await readWorld(this.dir); // before the lock is written: the folder may not be ours
    const python = await findPython(this.#options.python);
    const lock = await lockWorld(this.dir);
    try {
      const state = await readWorld(this.dir);
      const open = createOpenWorld(this.dir, await this.#prepare(state));
      return { open, homeservers: await this.#startHomeservers(open, { python, state, signal }), lock };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** The companies of a complete world, or those of one that is made now. */
  async #prepare(state: WorldState): Promise<readonly Company[]> {
    if (state.kind === 'complete') return state.world.companies;
    if (state.kind === 'half-written') {
      this.#progress({
        kind: 'warning',
        text: 'an earlier set-up of this world was interrupted; making it anew',
      });
      for (const name of companyNames) await endStaleHomeserver(this.dir, name, this.#progress);
      await removeHalfWrittenWorld(this.dir);
    }
    const companies = await planCompanies(this.#options.ports);
    const text = `made keys, certificates and secrets in ${this.dir}`;
    await step(this.#progress, text, () => writeWorldFiles(this.dir, companies));
    return companies;
  }

  async #startHomeservers(
    open: OpenWorld,
    { python, state, signal }: { python: string; state: WorldState; signal: AbortSignal | undefined },
  ): Promise<RunningWorld['homeservers']> {
    const companies = { acme: open.company('acme'), partner: open.company('partner') };
    const common = { ...this.#options, dir: this.dir, python, progress: this.#progress };
    const homeservers = {
      acme: createHomeserver({ ...common, company: companies.acme }),
      partner: createHomeserver({ ...common, company: companies.partner }),
    };
    const deadlineMs = this.#options.startDeadlineMs ?? 60_000;
    const isNew = state.kind !== 'complete';
    try {
      await startUp({
        dir: this.dir,
        companies,
        homeservers,
        isNew,
        deadlineMs,
        progress: this.#progress,
        signal,
      });
    } catch (error) {
      await stopHomeservers(homeservers);
      throw error;
    }
    for (const name of companyNames) {
      homeservers[name].onCrash((error) => this.#crashListeners.forEach((listener) => listener(error)));
    }
    return homeservers;
  }
}

async function lockWorld(dir: string): Promise<ProcessLock> {
  const path = worldPaths(dir).lock;
  const lock = await tryLock(path);
  if (lock !== undefined) return lock;
  const holder = await lockHolder(path);
  const who = holder === undefined ? '' : ` by process ${holder.pid}`;
  const advice =
    'Use it ("hyperty run FILE", "hyperty status"), stop it ("hyperty down"), or run another with --dir.';
  throw new FabricError('conflict', `The world at ${dir} is already run${who}. ${advice}`, {
    details: { dir, ...(holder === undefined ? {} : { pid: holder.pid }) },
  });
}

async function stopHomeservers(homeservers: RunningWorld['homeservers']): Promise<void> {
  await Promise.all(companyNames.map((name) => homeservers[name].stop()));
}
