/**
 * The homeserver of one company, run by this process. It starts with a fresh configuration and never hangs: either it
 * answers before the deadline or there is an error with the lines of its log that say why.
 */
import type { ChildProcess } from 'node:child_process';
import { FabricError, type ErrorCode } from '@hyperty/runtime';
import {
  homeserverPaths,
  maskSecret,
  readHomeserverSecrets,
  writeHomeserverConfig,
} from '@hyperty/synapse-config';
import { companyFolder, type Company } from './company.ts';
import { logExcerpt, markLog, type LogMark } from './log-excerpt.ts';
import { assertPortFree } from './port.ts';
import type { Progress } from './progress.ts';
import { waitForListeners } from './readiness.ts';
import { describeFullDisk } from './storage-failure.ts';
import { consolePath, endStaleSynapse, endSynapse, hasEnded, startSynapse } from './synapse-process.ts';
import { worldPaths } from './world-file.ts';

/** A homeserver that can be started, stopped, and killed as a crash would. */
export interface Homeserver {
  /** Process id while it runs. */
  readonly pid: number | undefined;
  /**
   * Starts it and waits until it answers; does nothing when it runs.
   * @throws FabricError `conflict` when a port is taken, `crashed` when Synapse ends, `timeout` when it does not answer
   * in time, `cancelled` by the signal
   */
  start(signal?: AbortSignal): Promise<void>;
  /** Ends it politely, and by force after five seconds. Does nothing when it does not run. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** `stop`, then `start`. */
  restart(signal?: AbortSignal): Promise<void>;
  /** Calls `listener` with an explanation when it ends without having been told to. Returns the undo. */
  onCrash(listener: (error: FabricError) => void): () => void;
}

/** What a homeserver is made from. */
export interface HomeserverProcessOptions {
  /** The world's folder. */
  readonly dir: string;
  readonly company: Company;
  /** A Python that has Synapse. */
  readonly python: string;
  readonly progress: Progress;
  /** How long it may take to answer; 60 s by default. */
  readonly startDeadlineMs?: number;
}

/** A homeserver of a world, not yet running. */
export function createHomeserver(options: HomeserverProcessOptions): Homeserver {
  return new SynapseHomeserver(options);
}

/** Ends the homeserver of a company that an earlier run left behind in `dir`, and says so. */
export async function endStaleHomeserver(
  dir: string,
  name: Company['name'],
  progress: Progress,
): Promise<boolean> {
  const pid = await endStaleSynapse(companyFolder(dir, name));
  if (pid === undefined) return false;
  const text = `stopped the homeserver of ${name} that an earlier run had left behind (process ${pid})`;
  progress({ kind: 'warning', text });
  return true;
}

class SynapseHomeserver implements Homeserver {
  readonly #options: HomeserverProcessOptions;
  readonly #folder: string;
  readonly #listeners = new Set<(error: FabricError) => void>();
  #child: ChildProcess | undefined;
  #expectedToEnd = false;

  constructor(options: HomeserverProcessOptions) {
    this.#options = options;
    this.#folder = companyFolder(options.dir, options.company.name);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(signal?: AbortSignal): Promise<void> {
    if (this.#child !== undefined) return;
    const mark = await this.#prepare();
    if (signal?.aborted === true) throw new FabricError('cancelled', 'Interrupted.');
    const child = await startSynapse(this.#options.python, this.#folder);
    this.#child = child;
    this.#expectedToEnd = false;
    child.once('exit', () => (this.#child = undefined));
    try {
      await this.#untilReady(child, mark, signal);
    } catch (error) {
      await this.kill();
      throw error;
    }
    const onExit = (): void => {
      if (!this.#expectedToEnd) void this.#reportCrash(child, mark);
    };
    child.once('exit', onExit);
    if (hasEnded(child)) onExit();
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async restart(signal?: AbortSignal): Promise<void> {
    await this.stop();
    await this.start(signal);
  }

  onCrash(listener: (error: FabricError) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #end(how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#expectedToEnd = true;
    if (this.#child !== undefined) await endSynapse(this.#child, this.#folder, how);
  }

  async #prepare(): Promise<LogMark> {
    const { dir, company, progress } = this.#options;
    await endStaleHomeserver(dir, company.name, progress);
    await assertPortFree(company.clientPort, `the homeserver of ${company.name}`);
    await assertPortFree(company.federationPort, `the homeserver of ${company.name} (federation)`);
    await writeHomeserverConfig(this.#folder, {
      profile: 'world',
      serverName: company.serverName,
      publicBaseUrl: `${company.baseUrl}/`,
      clientPort: company.clientPort,
      federationPort: company.federationPort,
      customCaPaths: [worldPaths(dir).ca],
    });
    return markLog(homeserverPaths(this.#folder).log);
  }

  async #untilReady(child: ChildProcess, mark: LogMark, signal: AbortSignal | undefined): Promise<void> {
    const { dir, company, startDeadlineMs = 60_000 } = this.#options;
    const ended = new AbortController();
    const onExit = (): void => ended.abort();
    child.once('exit', onExit);
    if (hasEnded(child)) onExit();
    try {
      await waitForListeners(company, worldPaths(dir).ca, {
        deadlineMs: startDeadlineMs,
        signal: signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]),
      });
    } catch (error) {
      if (signal?.aborted === true) throw new FabricError('cancelled', 'Interrupted.', { cause: error });
      if (ended.signal.aborted)
        throw await this.#explain('crashed', `ended while starting (${ending(child)})`, mark);
      if (!(error instanceof FabricError)) throw error;
      throw await this.#explain('timeout', `does not come up: ${error.message}`, mark);
    } finally {
      child.off('exit', onExit);
    }
  }

  async #reportCrash(child: ChildProcess, mark: LogMark): Promise<void> {
    const error = await this.#explain('crashed', `ended unexpectedly (${ending(child)})`, mark);
    for (const listener of this.#listeners) listener(error);
  }

  /** An error with the lines of the log that say why; no secret of the homeserver is in it. */
  async #explain(code: ErrorCode, what: string, mark: LogMark): Promise<FabricError> {
    const { name } = this.#options.company;
    const secrets: string[] = await readHomeserverSecrets(this.#folder).then(Object.values, () => []);
    const excerpt = await logExcerpt(consolePath(this.#folder), mark);
    const lines = excerpt.map((line) =>
      secrets.reduce((text, secret) => text.replaceAll(secret, maskSecret(secret)), line),
    );
    const shown =
      lines.length === 0
        ? 'It wrote nothing.'
        : `Its last lines:\n${lines.map((line) => `  ${line}`).join('\n')}`;
    const logs = `Full logs: ${homeserverPaths(this.#folder).log} and ${consolePath(this.#folder)}`;
    const remedy = 'If its files were changed by hand, "npm run reset" deletes the world, to be made anew.';
    const disk = await describeFullDisk(this.#folder);
    return new FabricError(code, `The homeserver of ${name} ${what}.${disk} ${shown}\n${logs}\n${remedy}`, {
      details: { company: name, lines },
    });
  }
}

function ending(child: ChildProcess): string {
  return child.signalCode ?? `exit code ${child.exitCode ?? 'unknown'}`;
}
