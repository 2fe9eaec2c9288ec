/**
 * A Redis for tests that loses nothing it has acknowledged: of this machine, or in a container where there is a Docker
 * engine. Tests end it, stop it and start it again on the same data and port.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import type { Context } from 'mocha';
import { eventually } from './eventually.ts';
import { freePorts } from './free-ports.ts';
import { skip } from './skip.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

/** A running Redis. */
export interface TestRedis {
  /** On 127.0.0.1; it keeps it. */
  readonly port: number;
  readonly url: string;
  /** Sends one command, words separated by spaces; resolves with the first line of the answer as it comes. */
  command(line: string): Promise<string>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on its data. */
  start(): Promise<void>;
  /** Stops it where it is: connections stay open, in silence. */
  freeze(): Promise<void>;
  /** Lets it go on. */
  thaw(): Promise<void>;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

/** What differs between a process and a container. */
type Host = Pick<TestRedis, 'kill' | 'start' | 'freeze' | 'thaw' | 'close'>;

const SETTINGS = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
const IMAGE = 'redis:7';

/** Starts a Redis, or skips the suite with the reason when there is none. Call it first in `before`. */
export async function requireRedis(context: Context): Promise<TestRedis> {
  const redis = await startRedis();
  return (
    redis ??
    skip(
      context,
      'there is no Redis here: node setup.mjs --for tests installs it; a Docker engine does as well',
    )
  );
}

/** Starts a Redis; undefined when there is none. */
export async function startRedis(): Promise<TestRedis | undefined> {
  const [port] = await freePorts(1);
  const host = (await hasServer()) ? await processHost(port) : await containerHost(port);
  if (!host) return undefined;
  const command = (line: string): Promise<string> => sendLine(port, line);
  const start = async (): Promise<void> => {
    await host.start();
    await eventually(
      () =>
        command('PING').then(
          (answer) => answer.startsWith('+PONG'),
          () => false,
        ),
      'an answer of the Redis that was started',
      20_000,
    );
  };
  await start();
  return { ...host, port, url: `redis://127.0.0.1:${port}`, command, start };
}

const hasServer = (): Promise<boolean> =>
  promisify(execFile)('redis-server', ['--version']).then(
    () => true,
    () => false,
  );

async function processHost(port: number): Promise<Host> {
  const folder = await createTemporaryFolder();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path, ...SETTINGS];
  let server: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  const endWithUs = (): void => void server?.kill('SIGKILL');
  process.once('exit', endWithUs);
  return {
    kill,
    start: async () => {
      server = spawn('redis-server', args, { stdio: 'ignore' });
      await once(server, 'spawn');
    },
    freeze: async () => void server?.kill('SIGSTOP'),
    thaw: async () => void server?.kill('SIGCONT'),
    close: async () => {
      await kill();
      process.removeListener('exit', endWithUs);
      await folder.remove();
    },
  };
}

async function containerHost(port: number): Promise<Host | undefined> {
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const engine = await getContainerRuntimeClient().catch(() => undefined);
  if (!engine) return undefined;
  const started = await new GenericContainer(IMAGE)
    .withCommand(['redis-server', ...SETTINGS])
    .withExposedPorts({ container: 6379, host: port })
    .start();
  const container = engine.container.getById(started.getId());
  let runs = true;
  return {
    kill: async () => {
      await container.kill();
      await container.wait();
      runs = false;
    },
    start: async () => {
      if (!runs) await container.start();
      runs = true;
    },
    freeze: () => container.pause() as Promise<void>,
    thaw: () => container.unpause() as Promise<void>,
    close: async () => {
      await started.stop();
    },
  };
}

async function sendLine(port: number, line: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    socket.setTimeout(5000, () => socket.destroy(new Error(`No answer to ${line}`)));
    socket.write(`${line}\r\n`);
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString().split('\r\n')[0] ?? '';
  } finally {
    socket.destroy();
  }
}
