/** Feeds a directory from one source: everybody at first, then what changes, and again after failures. */
import { setImmediate } from 'node:timers/promises';
import { delay, FabricError, type Clock, type Logger } from '@hyperty/runtime';
import type { DirectorySource } from './directory-source.ts';
import type { People } from './people.ts';

/** What a feed needs. */
export interface SourceFeedDeps {
  readonly people: People;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to 1. */
  readonly random: () => number;
}

const RELOAD_MS = 600_000;
const BACK_OFF_MS = { first: 1000, longest: 60_000 };
/** People taken between two turns of the event loop. */
export const SLICE = 200;

/** How long to wait after the `attempt`th failure in a row, counted from 0: doubled each time, with jitter. */
export const backOffMs = (attempt: number, random: () => number): number =>
  Math.min(BACK_OFF_MS.longest, BACK_OFF_MS.first * 2 ** attempt) * (0.5 + random() / 2);

/** Begins. Returns its end, which waits for what is under way. */
export function feedFrom(source: DirectorySource, deps: SourceFeedDeps): () => Promise<void> {
  const end = new AbortController();
  const run = runFeed(source, deps, end.signal);
  return async () => {
    end.abort();
    await run;
  };
}

async function runFeed(source: DirectorySource, deps: SourceFeedDeps, signal: AbortSignal): Promise<void> {
  const { clock, logger, random } = deps;
  const isOver = (): boolean => signal.aborted;
  for (let failures = 0; !isOver();) {
    try {
      await loadAll(source, deps.people, signal);
      failures = 0;
      if (source.changes) await takeChanges(source.changes(signal), source, deps.people);
      else await delay(clock, source.reloadMs ?? RELOAD_MS, signal);
    } catch (caught) {
      if (isOver()) return;
      const error = FabricError.from(caught, 'offline');
      logger.warn({ source: source.name, error }, 'a source of the directory does not answer');
      await delay(clock, backOffMs(failures, random), signal).catch(() => undefined);
      failures += 1;
    }
  }
}

async function loadAll(source: DirectorySource, people: People, signal: AbortSignal): Promise<void> {
  const seen = new Set<string>();
  for await (const person of source.load(signal)) {
    people.put(source, person);
    seen.add(person.userId);
    if (seen.size % SLICE === 0) await setImmediate();
    signal.throwIfAborted();
  }
  people.loaded(source, seen);
}

async function takeChanges(
  changes: ReturnType<NonNullable<DirectorySource['changes']>>,
  source: DirectorySource,
  people: People,
): Promise<void> {
  for await (const change of changes) {
    if (change.type === 'changed') people.put(source, change.person);
    else people.remove(source, change.userId);
  }
}
