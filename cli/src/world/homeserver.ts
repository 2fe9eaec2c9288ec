/**
 * The homeserver of one company: a Synapse as a child process of this one. It starts with a fresh configuration and
 * never hangs: either it answers before the deadline or there is an error with the lines of its log that say why.
 * Started by `launch.py`, it ends when this process is gone, however that ended.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FabricError } from '@hyperty/runtime';
import {
  homeserverPaths,
  launchArguments,
  maskSecret,
  readHomeserverSecrets,
  writeFileAtomically,
  writeHomeserverConfig,
} from '@hyperty/synapse-config';
import { companyFolder, type Company } from './company.ts';
import { logExcerpt, markLog, type LogMark } from './log-excerpt.ts';
import { assertPortFree } from './port.ts';
import { findProcess } from './process-table.ts';
import type { Progress } from './progress.ts';
import { waitForListeners } from './readiness.ts';
import { worldPaths } from './world-file.ts';

/** A homeserver that can be started, stopped, and killed as a crash would. */
export interface Homeserver {
  /** Process id while it runs. */
  readonly pid: number | undefined;
  /** Starts it and waits until it answers; does nothing when it runs. @throws FabricError as {@link createHomeserver} says */
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

const STOP_GRACE_MS = 5000;
/** Loopback needs no proxy, and Synapse would send federation through one. */
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [
  name,
  name.toUpperCase(),
]);

/**
 * A homeserver of a world, not yet running. Its `start` throws FabricError: `conflict` when a port is taken,
 * `crashed` when Synapse ends, `timeout` when it does not answer in time, `cancelled` by its signal.
 */
export function createHomeserver(options: HomeserverProcessOptions): Homeserver {
  const { dir, company, progress, startDeadlineMs = 60_000 } = options;
  const folder = companyFolder(dir, company.name);
  const listeners = new Set<(error: FabricError) => void>();
  let child: ChildProcess | undefined;
  let expectedToEnd = false;

  const start = async (signal?: AbortSignal): Promise<void> => {
    if (child !== undefined) return;
    await endStale(folder, company, progress);
    await assertPortFree(company.clientPort, `the homeserver of ${company.name}`);
    await assertPortFree(company.federationPort, `the homeserver of ${company.name} (federation)`);
    await writeConfig(dir, company);
    const mark = await markLog(homeserverPaths(folder).log);
    signal?.throwIfAborted();
    const started = await spawnSynapse(options.python, folder);
    child = started;
    expectedToEnd = false;
    started.once('exit', () => {
      child = undefined;
    });
    try {
      await writePidFile(folder, started.pid);
      await untilReady(started, { dir, company, mark, deadlineMs: startDeadlineMs, signal });
    } catch (error) {
      await end('SIGKILL');
      throw error;
    }
    started.once('exit', (code, ended) => {
      if (!expectedToEnd) void reportCrash(mark, ended ?? code);
    });
  };

  const end = async (how: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const ending = child;
    expectedToEnd = true;
    if (ending === undefined) return;
    await endChild(ending, how);
    await rm(pidPath(folder), { force: true });
  };

  const reportCrash = async (mark: LogMark, how: string | number | null): Promise<void> => {
    const error = await crashError(folder, company, mark, `ended unexpectedly (${String(how)})`);
    for (const listener of listeners) listener(error);
  };

  return {
    get pid() {
      return child?.pid;
    },
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    restart: async (signal) => {
      await end('SIGTERM');
      await start(signal);
    },
    onCrash: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

/** Ends a homeserver that an earlier run left behind: the process in the pid file, if it runs this folder's configuration. */
export async function endStale(folder: string, company: Company, progress: Progress): Promise<boolean> {
  const pid = Number(await readFile(pidPath(folder), 'utf8').catch(() => ''));
  const isOurs = async (): Promise<boolean> =>
    (await findProcess(pid))?.commandLine.includes(homeserverPaths(folder).config) ?? false;
  if (!(await isOurs())) return false;
  for (const [signal, graceMs] of [
    ['SIGTERM', STOP_GRACE_MS],
    ['SIGKILL', STOP_GRACE_MS],
  ] as const) {
    sendSignal(pid, signal);
    for (let waitedMs = 0; waitedMs < graceMs && (await isOurs()); waitedMs += 50) await sleep(50);
    if (!(await isOurs())) break;
  }
  await rm(pidPath(folder), { force: true });
  progress({
    kind: 'warning',
    text: `stopped the homeserver of ${company.name} that an earlier run had left behind (process ${String(pid)})`,
  });
  return true;
}

function pidPath(folder: string): string {
  return join(folder, 'synapse.pid');
}

async function writePidFile(folder: string, pid: number | undefined): Promise<void> {
  await writeFileAtomically(pidPath(folder), `${String(pid)}\n`);
}

async function writeConfig(dir: string, company: Company): Promise<void> {
  await writeHomeserverConfig(companyFolder(dir, company.name), {
    profile: 'world',
    serverName: company.serverName,
    publicBaseUrl: `${company.baseUrl}/`,
    clientPort: company.clientPort,
    federationPort: company.federationPort,
    customCaPaths: [worldPaths(dir).ca],
  });
}

/**
 * Starts Synapse in a process group of its own, so that Ctrl-C in a terminal reaches only its starter, which then
 * stops it in good order.
 */
async function spawnSynapse(python: string, folder: string): Promise<ChildProcess> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const output = await open(consolePath(folder), 'w', 0o600);
  try {
    const environment = { ...process.env, HYPERTY_STARTER_PID: String(process.pid) };
    const child = spawn(python, launchArguments(homeserverPaths(folder).config), {
      cwd: folder,
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      env: Object.fromEntries(
        Object.entries(environment).filter(([name]) => !PROXY_VARIABLES.includes(name)),
      ),
    });
    await once(child, 'spawn');
    return child;
  } catch (cause) {
    throw new FabricError('not-found', `${python} could not be started.`, { cause });
  } finally {
    await output.close();
  }
}

function consolePath(folder: string): string {
  return join(folder, 'console.log');
}

interface ReadyOptions {
  readonly dir: string;
  readonly company: Company;
  readonly mark: LogMark;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

async function untilReady(child: ChildProcess, options: ReadyOptions): Promise<void> {
  const { dir, company, mark, deadlineMs, signal } = options;
  const folder = companyFolder(dir, company.name);
  const ended = new AbortController();
  const onExit = (): void => {
    ended.abort();
  };
  child.once('exit', onExit);
  if (child.exitCode !== null || child.signalCode !== null) onExit();
  try {
    await waitForListeners(company, worldPaths(dir).ca, {
      deadlineMs,
      signal: signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]),
    });
  } catch (cause) {
    if (signal?.aborted === true) throw new FabricError('cancelled', 'Interrupted.', { cause });
    const what = ended.signal.aborted
      ? `ended while starting (${String(child.signalCode ?? child.exitCode)})`
      : `does not come up: ${FabricError.from(cause).message}`;
    throw await crashError(folder, company, mark, what, ended.signal.aborted ? 'crashed' : 'timeout');
  } finally {
    child.off('exit', onExit);
  }
}

async function crashError(
  folder: string,
  company: Company,
  mark: LogMark,
  what: string,
  code: 'crashed' | 'timeout' = 'crashed',
): Promise<FabricError> {
  const secrets = await readHomeserverSecrets(folder).then(Object.values, () => []);
  const mask = (text: string): string =>
    secrets.reduce((masked: string, secret: string) => masked.replaceAll(secret, maskSecret(secret)), text);
  const lines = await logExcerpt(consolePath(folder), mark, mask);
  const shown =
    lines.length === 0
      ? 'It wrote nothing.'
      : `Its last lines:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  return new FabricError(
    code,
    `The homeserver of ${company.name} ${what}. ${shown}\nFull logs: ${homeserverPaths(folder).log} and ${consolePath(folder)}`,
    { details: { company: company.name, lines } },
  );
}

async function endChild(child: ChildProcess, how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(how);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  await exit;
  clearTimeout(timer);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has just ended
  }
}
