/** Notice of changes: a connection of its own that listens to what commits publish. */
import { Watchers, type ChangeListener } from '@hyperty/runtime';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';

/** Longest notice that names its keys. */
const MAX_NOTICE_CHARS = 16_384;

/** The text that tells of changed keys; empty when they are too many to name. */
export function noticeOf(keys: readonly string[]): string {
  const chars = keys.reduce((sum, key) => sum + key.length + 1, 0);
  return chars > MAX_NOTICE_CHARS ? '' : keys.join(' ');
}

/** Listens once somebody watches. */
export class RedisNotices {
  readonly #watchers = new Watchers();
  readonly #connection: RedisConnection;

  constructor(options: Omit<RedisConnectionOptions, 'greet' | 'onReady'> & { readonly channel: string }) {
    this.#connection = new RedisConnection({
      ...options,
      greet: (client) => client.subscribe(options.channel, (notice) => this.#hear(notice)),
      // What was committed before the subscription, since `watch` returned or while there was none, was not heard.
      onReady: () => this.#watchers.tell(undefined),
    });
  }

  /** Adds a listener; returns its removal. */
  watch(prefix: string, listener: ChangeListener): () => void {
    this.#connection.start();
    return this.#watchers.add(prefix, listener);
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    await this.#connection.stop();
  }

  #hear(notice: string): void {
    this.#watchers.tell(notice === '' ? undefined : notice.split(' '));
  }
}
