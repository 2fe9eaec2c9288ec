/** Feeds a directory from a registry: all entries at first and after an interruption, between them what changes. */
import { setImmediate } from 'node:timers/promises';
import { delay, FabricError, type Clock, type Logger } from '@hyperty/runtime';
import type { Directory } from './directory.ts';
import { listingOfEntry, type RegistryViewEntry, type RegistryView } from './registry-view.ts';
import { backOffMs, SLICE } from './source-feed.ts';

/** What a feed needs. */
export interface RegistryFeedDeps {
  readonly directory: Directory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** Begins. Returns its end. */
export function feedFromRegistry(registry: RegistryView, deps: RegistryFeedDeps): () => Promise<void> {
  const feed = new RegistryFeed(registry, deps);
  return () => feed.stop();
}

class RegistryFeed {
  readonly #registry: RegistryView;
  readonly #deps: RegistryFeedDeps;
  readonly #end = new AbortController();
  readonly #unfollow: () => void;
  readonly #known = new Set<string>();
  /** Changed while all are being read: what is read may be older. */
  #fresh: Set<string> | undefined;
  #isStale = false;
  #reading: Promise<void> | undefined;

  constructor(registry: RegistryView, deps: RegistryFeedDeps) {
    this.#registry = registry;
    this.#deps = deps;
    this.#unfollow = registry.follow({
      changed: (entry) => {
        this.#fresh?.add(entry.id);
        this.#put(entry);
      },
      removed: (id) => {
        this.#fresh?.add(id);
        this.#remove(id);
      },
      missed: () => {
        this.#readSoon();
      },
    });
    this.#readSoon();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    this.#unfollow();
    await this.#reading;
  }

  #readSoon(): void {
    this.#isStale = true;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
  }

  async #read(): Promise<void> {
    const { clock, logger, random } = this.#deps;
    const isOver = (): boolean => this.#end.signal.aborted;
    for (let failures = 0; this.#isStale && !isOver();) {
      this.#isStale = false;
      try {
        await this.#readAll();
        failures = 0;
      } catch (caught) {
        if (isOver()) return;
        this.#isStale = true;
        logger.warn({ error: FabricError.from(caught, 'offline') }, 'the registry does not answer discovery');
        await delay(clock, backOffMs(failures, random), this.#end.signal).catch(() => undefined);
        failures += 1;
      }
    }
  }

  async #readAll(): Promise<void> {
    const fresh = (this.#fresh = new Set<string>());
    const seen = new Set<string>();
    for await (const entry of this.#registry.search(this.#end.signal)) {
      seen.add(entry.id);
      if (!fresh.has(entry.id)) this.#put(entry);
      if (seen.size % SLICE === 0) await setImmediate();
    }
    for (const id of [...this.#known]) if (!seen.has(id) && !fresh.has(id)) this.#remove(id);
    this.#fresh = undefined;
  }

  #put(entry: RegistryViewEntry): void {
    this.#known.add(entry.id);
    this.#deps.directory.put(listingOfEntry(entry));
  }

  #remove(id: string): void {
    this.#known.delete(id);
    this.#deps.directory.remove(id);
  }
}
