/**
 * Which occurrences of a schedule are to run now. The caller remembers the latest occurrence that it was given and asks
 * again when `next` has come: so nothing is given twice, whatever the clock does.
 */
import type { Timetable } from './recurrence.ts';

/** Most runs that one call gives, and the highest number of missed occurrences that it counts. */
export const MAX_RUNS = 1000;
/** How late an occurrence may be to count as on time, in milliseconds, where a caller says nothing else. */
const DEFAULT_GRACE_MS = 60_000;

/** What {@link runsDue} needs to know; instants in epoch milliseconds. */
export interface DueOptions {
  /** The latest occurrence that has been given, or when the schedule was made: none up to it is given again. */
  readonly after: number;
  readonly now: number;
  /** For the policy `skip`; default 60,000. */
  readonly graceMs?: number;
}

/** One run that is due. */
export interface DueRun {
  /** The occurrence that it is for, in epoch milliseconds. */
  readonly scheduledFor: number;
  /** How many others it stands for; at {@link MAX_RUNS}, there may be more. Only with `run-once` above 0. */
  readonly missed: number;
}

/** What is due, and when to ask again. */
export interface Due {
  /** In order, at most {@link MAX_RUNS}. */
  readonly runs: readonly DueRun[];
  /**
   * The first occurrence that has not been given, in epoch milliseconds; not after `now` when there were more than
   * {@link MAX_RUNS}. Undefined when the schedule has ended.
   */
  readonly next: number | undefined;
}

/**
 * Tells which runs are due. The next call's `after` is the `scheduledFor` of the last run, or stays as it is when there
 * was none. A clock that is set back only delays what comes.
 */
export function runsDue(timetable: Timetable, options: DueOptions): Due {
  const { after, now, graceMs = DEFAULT_GRACE_MS } = options;
  switch (timetable.missed) {
    case 'run-once':
      return runOnce(timetable, after, now);
    case 'run-all':
      return runEach(timetable, after, now);
    case 'skip':
      return runEach(timetable, Math.max(after, now - graceMs - 1), now);
  }
}

function runEach(timetable: Timetable, after: number, now: number): Due {
  const runs: DueRun[] = [];
  let next = timetable.nextAfter(after);
  while (next !== undefined && next <= now && runs.length < MAX_RUNS) {
    runs.push({ scheduledFor: next, missed: 0 });
    next = timetable.nextAfter(next);
  }
  return { runs, next };
}

function runOnce(timetable: Timetable, after: number, now: number): Due {
  const first = timetable.nextAfter(after);
  if (first === undefined || first > now) return { runs: [], next: first };
  const scheduledFor = latestUntil(timetable, first, now);
  const missed = countBetween(timetable, first, scheduledFor);
  return { runs: [{ scheduledFor, missed }], next: timetable.nextAfter(scheduledFor) };
}

/** The latest occurrence up to `now`, by halving: years of missed minutes are few steps. */
function latestUntil(timetable: Timetable, first: number, now: number): number {
  let latest = first;
  let end = now;
  for (let middle = first; latest < end; middle = Math.floor((latest + end) / 2)) {
    const found = timetable.nextAfter(middle);
    if (found !== undefined && found <= now) latest = found;
    else end = middle;
  }
  return latest;
}

/** Occurrences from `first` on and before `end`, both of them occurrences. */
function countBetween(timetable: Timetable, first: number, end: number): number {
  let count = 0;
  let at: number | undefined = first;
  while (at !== undefined && at < end && count < MAX_RUNS) {
    count++;
    at = timetable.nextAfter(at);
  }
  return count;
}
