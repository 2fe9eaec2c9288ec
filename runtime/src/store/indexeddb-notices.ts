/**
 * Notice of commits between the tabs and workers of one origin, over a BroadcastChannel.
 *
 * A committer gives notice while its transaction is under way, so that its end cannot come between commit and notice.
 * Who hears it waits until that transaction has ended, which a read of the same database does by itself
 * (https://www.w3.org/TR/IndexedDB-3/#transaction-scheduling), and only then tells its watchers.
 */
import { atMost, type Clock } from '../platform/clock.ts';
import type { ChangeListener } from './store.ts';

/** What notices need. */
export interface NoticesDeps {
  readonly clock: Clock;
  /** Resolves when transactions that were under way have ended. */
  readonly settled: () => Promise<unknown>;
  /** Hears of the changes of others, once they can be read. */
  readonly listener: ChangeListener;
}

/** Keys that one notice names; when there are more it says that much has changed. */
const MAX_KEYS = 1000;
/** Longest wait for the sign that a channel hears. */
const JOIN_MS = 2000;
const PREFIX = 'hyperty-store:';

/** The notices of one open store. */
export class Notices {
  readonly #channel: BroadcastChannel;
  readonly #deps: NoticesDeps;
  readonly #onPageShow: (event: Event) => void;
  #heard: (readonly string[] | undefined)[] = [];
  #isCatchingUp = false;

  constructor(store: string, deps: NoticesDeps) {
    this.#deps = deps;
    this.#channel = new BroadcastChannel(PREFIX + store);
    this.#channel.addEventListener('message', ({ data }) => {
      if (isNotice(data)) this.#hear(data.keys ?? undefined);
    });
    // A page that lay in the back/forward cache has heard nothing meanwhile.
    this.#onPageShow = (event) => {
      if ((event as PageTransitionEvent).persisted) this.#hear(undefined);
    };
    globalThis.addEventListener('pageshow', this.#onPageShow);
  }

  /** Resolves when this end hears all that is said from now on: registering is no matter of this process alone. */
  async joined(store: string): Promise<void> {
    const probe = new BroadcastChannel(PREFIX + store);
    const id = crypto.randomUUID();
    await atMost(
      this.#deps.clock,
      JOIN_MS,
      new Promise<void>((resolve) => {
        this.#channel.addEventListener('message', function hear({ data }) {
          if (data !== id) return;
          this.removeEventListener('message', hear);
          resolve();
        });
        probe.postMessage(id);
      }),
    );
    probe.close();
  }

  /** Tells all others that a transaction that has begun and not ended changes these keys. */
  give(keys: readonly string[]): void {
    this.#channel.postMessage({ keys: keys.length > MAX_KEYS ? null : keys } satisfies Notice);
  }

  /** Lets go of the channel. Idempotent. */
  close(): void {
    globalThis.removeEventListener('pageshow', this.#onPageShow);
    this.#channel.close();
  }

  #hear(keys: readonly string[] | undefined): void {
    this.#heard.push(keys);
    if (!this.#isCatchingUp) void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    this.#isCatchingUp = true;
    while (this.#heard.length > 0) {
      const heard = this.#heard;
      this.#heard = [];
      // When it cannot be read, whoever looks is told why.
      await this.#deps.settled().catch(() => undefined);
      for (const keys of heard) this.#deps.listener(keys);
    }
    this.#isCatchingUp = false;
  }
}

interface Notice {
  /** Null: too many to name. */
  readonly keys: readonly string[] | null;
}

const isNotice = (data: unknown): data is Notice =>
  typeof data === 'object' && data !== null && 'keys' in data;
