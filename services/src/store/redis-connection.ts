/**
 * Keeps one connection to Redis: makes it, greets the server, watches that it answers, and makes the next when it is
 * lost. Each connection is a client of its own that never reconnects by itself, so that what is sent again, and when,
 * is decided in one place: by whoever hears of `onReady`.
 */
import { delay, silentLogger, systemClock, type Logger } from '@hyperty/runtime';
import { createClient } from 'redis';

/** A connected client. */
export type RedisClient = ReturnType<typeof createClientOf>;

/** Whom to connect to, and who wants to know. */
export interface RedisConnectionOptions {
  readonly url: string;
  /** Without credentials, for the log. */
  readonly address: string;
  /** How long a server may be silent before the connection counts as lost. */
  readonly timeoutMs: number;
  readonly logger?: Logger | undefined;
  /** What comes first on a new connection. When it fails, the connection is given up. */
  readonly greet: (client: RedisClient) => Promise<unknown>;
  readonly onReady: (client: RedisClient) => void;
  readonly onLost?: (error: unknown) => void;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1000;
const CONNECT_MS = 5000;

function createClientOf({ url, timeoutMs }: RedisConnectionOptions) {
  return createClient({
    url,
    socket: { reconnectStrategy: false, connectTimeout: Math.min(timeoutMs, CONNECT_MS) },
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
  });
}

/** One connection after the other, until it is stopped. */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #stopping = new AbortController();
  #drop: ((error: Error) => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  /** Starts connecting. Idempotent. */
  start(): void {
    this.#running ??= this.#keep();
  }

  /** Gives up the connection of the moment; the next one is made. */
  drop(reason: string): void {
    this.#drop?.(new Error(reason));
  }

  /** Lets go of the connection. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The connection was closed.'));
    this.drop('The connection was closed.');
    await this.#running;
  }

  async #keep(): Promise<void> {
    const { address, logger = silentLogger, onLost } = this.#options;
    const { signal } = this.#stopping;
    const isStopped = (): boolean => signal.aborted;
    for (let failures = 0; !isStopped(); failures += 1) {
      const wasReady = { value: false };
      const error = await this.#live(wasReady);
      if (isStopped()) return;
      if (wasReady.value) failures = 0;
      if (failures === 0) logger.warn({ error, address }, 'no connection to Redis; trying again');
      onLost?.(error);
      const retryMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS);
      await delay(systemClock, retryMs, signal).catch(() => undefined);
    }
  }

  /** The life of one connection. Resolves with what ended it. */
  async #live(wasReady: { value: boolean }): Promise<unknown> {
    const { greet, onReady, timeoutMs } = this.#options;
    const client = createClientOf(this.#options);
    const ending = new AbortController();
    const lost = new Promise<never>((_, reject) => {
      this.#drop = reject;
      client.on('error', reject);
    });
    try {
      const opened = client.connect().then(() => greet(client));
      await Promise.race([lost, opened, silence(timeoutMs, ending.signal)]);
      wasReady.value = true;
      onReady(client);
      return await Promise.race([lost, ping(client, timeoutMs, ending.signal)]);
    } catch (error) {
      return error;
    } finally {
      ending.abort();
      if (client.isOpen) client.destroy();
    }
  }
}

/** Rejects after `limitMs`. */
async function silence(limitMs: number, signal: AbortSignal): Promise<never> {
  await delay(systemClock, limitMs, signal);
  throw new Error(`no answer within ${limitMs} ms`);
}

/** Asks for a sign of life again and again. Rejects when there is none: a dead cable breaks no connection. */
async function ping(client: RedisClient, limitMs: number, signal: AbortSignal): Promise<never> {
  for (;;) {
    await delay(systemClock, limitMs / 2, signal);
    const answered = new AbortController();
    const either = AbortSignal.any([signal, answered.signal]);
    await Promise.race([client.ping(), silence(limitMs, either)]).finally(() => answered.abort());
  }
}
