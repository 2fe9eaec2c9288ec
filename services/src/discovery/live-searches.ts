/** All searches that somebody follows: they hear of changes in the directory, a little later and many at once. */
import { setImmediate } from 'node:timers/promises';
import type { Clock, DiscoveryUpdate, Timer } from '@hyperty/runtime';
import type { Directory } from './directory.ts';
import { LiveSearch, type AskOthers, type Question } from './live-search.ts';

/** What followed searches need. */
export interface LiveSearchesDeps {
  readonly directory: Directory;
  readonly clock: Clock;
  readonly askOthers: AskOthers;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Changes are gathered for so long, so that a storm of them costs one search. */
const GATHER_MS = 100;
/** Other domains are asked again this often, and sooner those that did not answer. */
const AGAIN_MS = { all: 300_000, partial: 30_000 };

/** Searches that are followed. */
export class LiveSearches {
  readonly #deps: LiveSearchesDeps;
  readonly #searches = new Set<LiveSearch>();
  readonly #changed = new Set<string>();
  readonly #unlisten: () => void;
  #gathering: Timer;
  #isGathering = false;

  constructor(deps: LiveSearchesDeps) {
    this.#deps = deps;
    this.#unlisten = deps.directory.onChange((id) => {
      this.#note(id);
    });
  }

  /** Number of searches followed. */
  get size(): number {
    return this.#searches.size;
  }

  /** Begins one. Its updates go to `tell`, after its first answer has been asked for. */
  open(
    question: Question,
    tell: (update: DiscoveryUpdate) => void,
  ): { readonly search: LiveSearch; readonly stop: () => void } {
    const { directory, askOthers, clock } = this.#deps;
    const search = new LiveSearch(directory, question, { askOthers, tell });
    this.#searches.add(search);
    let timer: Timer;
    const schedule = (): void => {
      const inMs = (search.isPartial ? AGAIN_MS.partial : AGAIN_MS.all) * (0.8 + 0.4 * this.#deps.random());
      timer = clock.setTimeout(() => void search.askAgain(askOthers).then(again), inMs);
    };
    const again = (): void => {
      if (this.#searches.has(search)) schedule();
    };
    if (search.hasOthers) void search.answer().then(again);
    const stop = (): void => {
      clock.clearTimeout(timer);
      this.#searches.delete(search);
    };
    return { search, stop };
  }

  /** Ends all. */
  stop(): void {
    this.#unlisten();
    this.#deps.clock.clearTimeout(this.#gathering);
    this.#searches.clear();
  }

  #note(id: string): void {
    if (this.#searches.size === 0) return;
    this.#changed.add(id);
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#gathering = this.#deps.clock.setTimeout(() => void this.#spread(), GATHER_MS);
  }

  async #spread(): Promise<void> {
    this.#isGathering = false;
    const ids = new Set(this.#changed);
    this.#changed.clear();
    for (const search of [...this.#searches]) {
      if (this.#searches.has(search)) search.onChange(ids);
      await setImmediate();
    }
  }
}
