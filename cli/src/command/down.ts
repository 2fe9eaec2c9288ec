/**
 * `hyperty down`: stops the world that another `hyperty up` runs, and whatever an earlier one left behind.
 */
import { rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FabricError } from '@hyperty/runtime';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { companyNames } from '../world/company.ts';
import { endStaleHomeserver } from '../world/homeserver.ts';
import { lockHolder } from '../world/process-lock.ts';
import { worldPaths } from '../world/world-file.ts';

const GRACE_MS = 10_000;

/** Stops the world in `dir`; with `delete`, removes its folder too. Succeeds when there was nothing to stop. */
export async function down(
  options: { dir: string; delete?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const dir = resolve(options.dir);
  const stopped = await stopHolder(dir, terminal);
  const ended: boolean[] = [];
  for (const name of companyNames) {
    ended.push(await endStaleHomeserver(dir, name, (line) => terminal.printProgress(line)));
  }
  if (!stopped && !ended.includes(true)) terminal.print(`Nothing runs in ${dir}.`);
  if (options.delete === true) await deleteWorld(dir, terminal);
  return exitCodes.ok;
}

async function stopHolder(dir: string, terminal: Terminal): Promise<boolean> {
  const { lock } = worldPaths(dir);
  const holder = await lockHolder(lock);
  if (holder === undefined) return false;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    process.kill(holder.pid, signal);
    for (let waitedMs = 0; waitedMs < GRACE_MS; waitedMs += 50) {
      if ((await lockHolder(lock)) === undefined) {
        terminal.print(`Stopped the world in ${dir} (process ${String(holder.pid)}).`);
        return true;
      }
      await sleep(50);
    }
  }
  throw new FabricError(
    'timeout',
    `Process ${String(holder.pid)}, which runs the world in ${dir}, does not end.`,
  );
}

async function deleteWorld(dir: string, terminal: Terminal): Promise<void> {
  if (!(await exists(dir))) return;
  if (!(await exists(worldPaths(dir).marker))) {
    throw new FabricError('conflict', `${dir} is not a world of this command; it is not deleted.`);
  }
  await rm(dir, { recursive: true, force: true });
  terminal.print(`Deleted ${dir}.`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
