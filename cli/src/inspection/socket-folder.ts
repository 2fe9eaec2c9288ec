/**
 * Where the runtimes of this machine's user can be watched: one socket each, `<pid>-<device>.sock`, in the folder
 * `inspect` of their world, or in a personal one when they belong to no world.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runtimeParts, type RuntimeAddress } from '@hyperty/runtime';
import { worldPaths } from '../world/world-file.ts';

const SOCKET_NAME = /^(\d+)-.*\.sock$/;
const MAX_DEVICE_CHARS = 40;

/** The socket for a runtime of this process. `dir` is the world's folder; where there is none, none is made. */
export async function socketPathFor(dir: string, address: RuntimeAddress): Promise<string> {
  const device = encodeURIComponent(runtimeParts(address).device).slice(0, MAX_DEVICE_CHARS);
  const isWorld = (await stat(worldPaths(dir).marker).catch(() => undefined)) !== undefined;
  return join(isWorld ? worldFolder(dir) : personalFolder(), `${String(process.pid)}-${device}.sock`);
}

/** The sockets of living processes, sorted. What dead ones have left is removed. */
export async function findSockets(dir: string): Promise<readonly string[]> {
  const found = await Promise.all([worldFolder(dir), personalFolder()].map(socketsIn));
  return found.flat().toSorted();
}

const worldFolder = (dir: string): string => join(resolve(dir), 'inspect');

function personalFolder(): string {
  const runtimeDir = process.env['XDG_RUNTIME_DIR'] ?? '';
  return runtimeDir === ''
    ? join(tmpdir(), `hyperty-${String(process.getuid?.() ?? '')}`, 'inspect')
    : join(runtimeDir, 'hyperty', 'inspect');
}

async function socketsIn(folder: string): Promise<readonly string[]> {
  // In a folder for all, somebody else may have made one of our name: what is in there is not ours.
  const owner = await stat(folder).catch(() => undefined);
  if (owner === undefined || owner.uid !== (process.getuid?.() ?? owner.uid)) return [];
  const living: string[] = [];
  for (const name of await readdir(folder)) {
    const pid = Number(SOCKET_NAME.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(pid)) continue;
    if (isAlive(pid)) living.push(join(folder, name));
    else await rm(join(folder, name), { force: true });
  }
  return living;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
