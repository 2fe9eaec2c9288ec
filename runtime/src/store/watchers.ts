/** Who wants to hear of changed keys, for implementations of a store. */
import type { ChangeListener } from './store.ts';

interface Watcher {
  readonly prefix: string;
  readonly listener: ChangeListener;
}

/** The watchers of one open store. */
export class Watchers {
  readonly #watchers = new Set<Watcher>();

  /** True when nobody watches: nothing needs to be found out. */
  get isEmpty(): boolean {
    return this.#watchers.size === 0;
  }

  /** Adds a listener; returns its removal. */
  add(prefix: string, listener: ChangeListener): () => void {
    const watcher = { prefix, listener };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Tells those whose prefix fits; undefined tells all. A listener that fails holds nothing up; its error is uncaught. */
  tell(keys: readonly string[] | undefined): void {
    for (const watcher of [...this.#watchers]) {
      const { prefix, listener } = watcher;
      if (!this.#watchers.has(watcher)) continue; // another listener has removed it
      const own = keys?.filter((key) => key.startsWith(prefix));
      if (own?.length === 0) continue;
      try {
        listener(own);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear(): void {
    this.#watchers.clear();
  }
}
