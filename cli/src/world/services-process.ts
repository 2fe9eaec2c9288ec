/**
 * The services of one company as an operating-system process of its own, exactly as a company would run them: `hyperty services`
 * with the registration that its homeserver has read.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FabricError } from '@hyperty/runtime';
import { homeserverPaths } from '@hyperty/synapse-config';
import { companyFolder, type Company } from './company.ts';
import { logExcerpt, markLog } from './log-excerpt.ts';
import { assertPortFree } from './port.ts';
import { worldPaths } from './world-file.ts';

/** Which company, where, and who its partners are. */
export interface ServicesProcessOptions {
  /** The world's folder. */
  readonly dir: string;
  readonly company: Company;
  /** Domains of the others. */
  readonly partners: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** How long it may take to be ready; 60 s by default. */
  readonly startDeadlineMs?: number;
}

/** A process that runs. */
export interface ServicesProcess {
  readonly pid: number;
  /** Ends it in good order, and by force after ten seconds. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Calls `listener` when it ends without having been told to. Returns the undo. */
  onCrash(listener: (error: FabricError) => void): () => void;
}

const COMMAND = fileURLToPath(new URL('../../bin/hyperty.js', import.meta.url));
const STOP_GRACE_MS = 10_000;

/** What the services of a company print. */
const logPath = (dir: string, company: Company): string =>
  join(companyFolder(dir, company.name), 'services.log');

/**
 * Starts it and waits until all services are read.
 * @throws FabricError `conflict` when the port is taken, `crashed` with the lines that say why, `timeout`, `cancelled`
 */
export async function startServices(options: ServicesProcessOptions): Promise<ServicesProcess> {
  const { dir, company, signal, startDeadlineMs = 60_000 } = options;
  await assertPortFree(company.servicesPort, `the services of ${company.name}`);
  const mark = await markLog(logPath(dir, company));
  const child = await spawnServices(options);
  const exit = once(child, 'exit');
  const ready = once(child, 'message');
  const deadline = AbortSignal.timeout(startDeadlineMs);
  const interrupted = once(signal === undefined ? deadline : AbortSignal.any([signal, deadline]), 'abort');
  const first = await Promise.race([
    ready.then(() => 'ready'),
    exit.then(() => 'exit'),
    interrupted.then(() => 'late'),
  ]);
  const explain = async (what: string): Promise<FabricError> => {
    const lines = await logExcerpt(logPath(dir, company), mark);
    const text = `The services of ${company.name} ${what}. Their last lines:\n${lines.map((line) => `  ${line}`).join('\n')}\nFull log: ${logPath(dir, company)}`;
    return new FabricError(what.startsWith('ended') ? 'crashed' : 'timeout', text);
  };
  if (first === 'exit') throw await explain('ended while starting');
  const process = createProcess(child, () => explain('ended unexpectedly'));
  if (first === 'ready') return process;
  await process.kill();
  if (signal?.aborted === true) throw new FabricError('cancelled', 'Interrupted.');
  throw await explain('were not ready in time');
}

async function spawnServices({ dir, company, partners }: ServicesProcessOptions): Promise<ChildProcess> {
  const folder = companyFolder(dir, company.name);
  const output = await open(logPath(dir, company), 'a', 0o600);
  try {
    const args = [
      'services',
      ...['--registration', homeserverPaths(folder).registration],
      ...['--homeserver', company.baseUrl],
      ...['--listen', `127.0.0.1:${String(company.servicesPort)}`],
      ...['--data', join(folder, 'services')],
      ...['--ca', worldPaths(dir).ca, '--allow-private'],
      ...(partners.length === 0 ? [] : ['--partner', ...partners]),
    ];
    // Detached: Ctrl-C in a terminal reaches only the starter, which stops it in good order. It ends with its starter.
    const stdio = ['ignore', output.fd, output.fd, 'ipc'] as ('ignore' | 'ipc' | number)[];
    const child = fork(COMMAND, args, { stdio, detached: true });
    await once(child, 'spawn');
    return child;
  } finally {
    await output.close();
  }
}

function createProcess(child: ChildProcess, explain: () => Promise<FabricError>): ServicesProcess {
  const listeners = new Set<(error: FabricError) => void>();
  let isExpected = false;
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  child.once('exit', () => {
    if (!isExpected) void explain().then((error) => listeners.forEach((listener) => listener(error)));
  });
  const end = async (how: NodeJS.Signals): Promise<void> => {
    isExpected = true;
    if (hasEnded()) return;
    const exit = once(child, 'exit');
    child.kill(how);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await exit;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? 0,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    onCrash: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
