/** A Redis that loses nothing it has acknowledged, for the harness to kill and freeze. */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/free-ports.ts';
import { Victim } from './victim.ts';

/** A Redis on 127.0.0.1. */
export interface RedisVictim {
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** True when this machine has a `redis-server`. */
export const hasRedis = (): Promise<boolean> =>
  promisify(execFile)('redis-server', ['--version']).then(
    () => true,
    () => false,
  );

/** Makes one whose data is in `folder`. */
export async function createRedisVictim(folder: string, log: string): Promise<RedisVictim> {
  const [port] = await freePorts(1);
  const victim = new Victim({
    program: 'redis-server',
    args: `--port ${port} --bind 127.0.0.1 --dir ${folder} --appendonly yes --appendfsync always --save`.split(' ').concat(''), // prettier-ignore
    log,
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    start: async () => {
      if (victim.child) return;
      await victim.spawn();
      await eventually(() => answersPing(port), 'an answer of Redis', 20_000);
    },
    kill: () => victim.kill(),
    freeze: () => victim.freeze(),
    thaw: () => victim.thaw(),
    close: () => victim.close(),
  };
}

/** Not only that it listens: it may still be loading its data. */
async function answersPing(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.on('error', () => resolve(false));
      socket.setTimeout(1000, () => resolve(false));
      socket.once('data', (data) => resolve(data.toString().startsWith('+PONG')));
      socket.write('PING\r\n');
    });
  } finally {
    socket.destroy();
  }
}
