/**
 * What the operating system says about a process. A process id alone proves nothing, because ids are used again;
 * an id together with the moment the process began does.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

/** One running process. */
export interface ProcessInfo {
  readonly pid: number;
  /** Program and arguments, separated by spaces. */
  readonly commandLine: string;
  /** When it began, in the system's own unit: equal for equal processes, not a time. */
  readonly startMark: string;
}

/** The process with this id, or `undefined` when there is none (or only its remains). */
export async function findProcess(pid: number): Promise<ProcessInfo | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

/** The process that listens on a TCP port of this machine, where the system tells (Linux, own processes or root). */
export async function findListener(port: number): Promise<ProcessInfo | undefined> {
  if (process.platform !== 'linux') return undefined;
  const sockets = await listeningSockets(port);
  if (sockets.size === 0) return undefined;
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && (await holdsSocket(pid, sockets))) return findProcess(pid);
  }
  return undefined;
}

async function fromProc(pid: number): Promise<ProcessInfo | undefined> {
  try {
    const [stat, commandLine] = await Promise.all([
      readFile(`/proc/${String(pid)}/stat`, 'utf8'),
      readFile(`/proc/${String(pid)}/cmdline`, 'utf8'),
    ]);
    // The name in field 2 may hold spaces and parentheses, so the fields are counted after its last ")".
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    return { pid, commandLine: commandLine.split('\0').join(' ').trim(), startMark: fields[18] ?? '' };
  } catch {
    return undefined;
  }
}

async function fromPs(pid: number): Promise<ProcessInfo | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=,command=', '-p', String(pid)]);
    const line = stdout.trim();
    if (line === '') return undefined;
    const startLength = 24; // e.g. "Tue Nov 24 10:11:12 2026"
    return { pid, startMark: line.slice(0, startLength), commandLine: line.slice(startLength).trim() };
  } catch {
    return undefined;
  }
}

/** Inodes of the sockets that listen on `port`, from /proc/net/tcp and tcp6 (state 0A is LISTEN). */
async function listeningSockets(port: number): Promise<Set<string>> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const localPort = Number.parseInt(local?.split(':')[1] ?? '', 16);
      if (state === '0A' && localPort === port && inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}

async function holdsSocket(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${String(pid)}/fd`;
  const descriptors = await readdir(folder).catch((): string[] => []);
  const targets = await Promise.all(
    descriptors.map((descriptor) => readlink(`${folder}/${descriptor}`).catch(() => '')),
  );
  return targets.some((target) => inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? ''));
}
