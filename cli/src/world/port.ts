/**
 * TCP ports of this machine: which are free, and who has one that is not.
 */
import { createServer } from 'node:net';
import { FabricError } from '@hyperty/runtime';
import { findListener } from './process-table.ts';

/** True when nothing listens on `port` of 127.0.0.1. */
export async function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/**
 * The first free port from `preferred` upwards that is not in `taken`, which then holds it too.
 * @throws FabricError `conflict` when there is none among the next 200
 */
export async function findFreePort(preferred: number, taken: Set<number>): Promise<number> {
  for (let port = preferred; port < Math.min(preferred + 200, 65_536); port++) {
    if (taken.has(port) || !(await isPortFree(port))) continue;
    taken.add(port);
    return port;
  }
  throw new FabricError('conflict', `No port from ${String(preferred)} upwards is free.`);
}

/** @throws FabricError `conflict` that names `port`, what needs it, and the process that has it where that is known */
export async function assertPortFree(port: number, neededBy: string): Promise<void> {
  if (await isPortFree(port)) return;
  const holder = await findListener(port);
  const who =
    holder === undefined
      ? 'another process'
      : `process ${String(holder.pid)} (${holder.commandLine.slice(0, 120)})`;
  throw new FabricError(
    'conflict',
    `Port ${String(port)}, which ${neededBy} needs, is in use by ${who}. Stop that and try again, or use another world with --dir.`,
    { details: { port, ...(holder === undefined ? {} : { pid: holder.pid }) } },
  );
}
