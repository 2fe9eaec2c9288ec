/**
 * A Unix domain socket as a file that its owner alone may use. A socket whose process has died is replaced; one that
 * somebody listens on is left alone.
 */
import { once } from 'node:events';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { connect, type Server, type Socket } from 'node:net';
import { dirname, relative } from 'node:path';
import { FabricError } from '../message/error.ts';

/** What fits into an address of a socket everywhere (`sun_path`: 104 bytes on macOS, 108 on Linux, with a final zero). */
const MAX_PATH_BYTES = 103;

/**
 * Listens on the socket at `path`; its folder is made (mode 0700) where it is missing.
 * @throws FabricError `conflict` when somebody listens there or it is another file, `invalid` when the path is too long, `internal` else
 */
export async function listenOnFile(server: Server, path: string): Promise<void> {
  const address = socketAddress(path);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await chmod(dirname(path), 0o700); // nobody else gets to the socket between its birth and its own mode
    await removeStale(path);
    server.listen({ path: address });
    await once(server, 'listening');
    await chmod(path, 0o600);
  } catch (cause) {
    server.close();
    if (cause instanceof FabricError) throw cause;
    throw new FabricError('internal', `Cannot listen on ${path}: ${(cause as Error).message}.`, { cause });
  }
}

/**
 * Connects to the socket at `path`.
 * @throws FabricError `not-found` when there is none, `closed` when nobody listens on it, `forbidden`, `cancelled`, `internal` else
 */
export async function connectToFile(path: string, signal?: AbortSignal): Promise<Socket> {
  const socket = connect({ path: socketAddress(path) });
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (cause) {
    socket.destroy();
    if (signal?.aborted)
      throw new FabricError('cancelled', `The connection to ${path} was withdrawn.`, { cause });
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const [kind, why] = FAILURES[code] ?? (['internal', message] as const);
    throw new FabricError(kind, `Cannot connect to ${path}: ${why}.`, { cause });
  }
}

const FAILURES: Readonly<Record<string, readonly ['not-found' | 'closed' | 'forbidden', string]>> = {
  ENOENT: ['not-found', 'there is no such socket'],
  ENOTSOCK: ['not-found', 'it is no socket'],
  ECONNREFUSED: ['closed', 'its process does not run any more'],
  EACCES: ['forbidden', 'it belongs to somebody else'],
};

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket())
    throw new FabricError('conflict', `${path} is there and is no socket; it is left alone.`);
  try {
    (await connectToFile(path)).destroy();
  } catch (error) {
    if (FabricError.from(error).code !== 'closed') throw error;
    await rm(path, { force: true });
    return;
  }
  throw new FabricError('conflict', `A living process listens on ${path} already.`, { details: { path } });
}

/** A path that is too long may be short enough as seen from the working folder. */
function socketAddress(path: string): string {
  const address = [path, relative(process.cwd(), path)].find((it) => Buffer.byteLength(it) <= MAX_PATH_BYTES);
  if (address !== undefined) return address;
  throw new FabricError(
    'invalid',
    `${path} is too long for a socket (${MAX_PATH_BYTES} bytes at most); use a folder with a shorter path.`,
  );
}
