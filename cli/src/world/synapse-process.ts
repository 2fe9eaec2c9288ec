/**
 * Synapse as an operating-system process: started so that it ends with its starter, ended politely or by force, and
 * found again by a later run when it was left behind all the same.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FabricError } from '@hyperty/runtime';
import { homeserverPaths, launchArguments, writeFileAtomically } from '@hyperty/synapse-config';
import { makeFolder } from './folder.ts';
import { findProcess } from './process-table.ts';

const STOP_GRACE_MS = 5000;
const POLL_MS = 50;
/** Loopback needs no proxy, and Synapse would send federation through one. */
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy'];

/** Where a homeserver's folder keeps what Synapse prints, which is little once it has opened its log. */
export function consolePath(folder: string): string {
  return join(folder, 'console.log');
}

/**
 * Starts Synapse with the configuration in `folder`, in a process group of its own: Ctrl-C in a terminal reaches only
 * its starter, which then stops it in good order.
 * @throws FabricError `not-found` when the Python cannot be started
 */
export async function startSynapse(python: string, folder: string): Promise<ChildProcess> {
  await makeFolder(folder);
  const output = await open(consolePath(folder), 'w', 0o600);
  try {
    const child = spawn(python, launchArguments(homeserverPaths(folder).config), {
      cwd: folder,
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      env: synapseEnvironment(),
    });
    await once(child, 'spawn');
    await writeFileAtomically(pidPath(folder), `${String(child.pid)}\n`);
    return child;
  } catch (cause) {
    throw new FabricError('not-found', `${python} could not be started.`, { cause });
  } finally {
    await output.close();
  }
}

/** Ends it with `how`, and by force when it has not ended after five seconds. */
export async function endSynapse(
  child: ChildProcess,
  folder: string,
  how: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, 'exit');
  child.kill(how);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  await exit;
  clearTimeout(timer);
  await rm(pidPath(folder), { force: true });
}

/** True when the process is gone. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Ends the Synapse that an earlier run left behind in `folder`: the process in its pid file, if it really runs this
 * folder's configuration.
 * @returns its process id when there was one
 */
export async function endStaleSynapse(folder: string): Promise<number | undefined> {
  const pid = Number(await readFile(pidPath(folder), 'utf8').catch(() => ''));
  const runs = async (): Promise<boolean> =>
    (await findProcess(pid))?.commandLine.includes(homeserverPaths(folder).config) ?? false;
  if (!(await runs())) return undefined;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    sendSignal(pid, signal);
    for (let waitedMs = 0; waitedMs < STOP_GRACE_MS && (await runs()); waitedMs += POLL_MS)
      await sleep(POLL_MS);
    if (!(await runs())) break;
  }
  await rm(pidPath(folder), { force: true });
  return pid;
}

function pidPath(folder: string): string {
  return join(folder, 'synapse.pid');
}

function synapseEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !PROXY_VARIABLES.includes(name.toLowerCase()),
  );
  return { ...Object.fromEntries(inherited), HYPERTY_STARTER_PID: String(process.pid) };
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has just ended
  }
}
