/**
 * Finds the occurrences of a schedule. The rules of RFC 5545 are computed by the library rrule-temporal, which is loaded
 * when the first recurring schedule is opened and is known to no other folder. All work is bounded: rules are checked
 * before (`rule-text.ts`), a search looks ahead only so far, and what finds nothing ends the schedule.
 *
 * Daylight saving. An occurrence keeps its local time: 09:00 in Berlin is 09:00 in summer and in winter.
 * - A local time that does not exist, because clocks are put forward over it, is no occurrence: it is left out before
 *   BYSETPOS and COUNT choose.
 * - A local time that exists twice, because clocks are put back, is an occurrence the first time only. With
 *   `FREQ=HOURLY` the repeated hour has none.
 * - `FREQ=MINUTELY`, and `FREQ=HOURLY` with an INTERVAL above 1, count elapsed time: `FREQ=MINUTELY;INTERVAL=60` runs in
 *   each hour, repeated or not.
 */
import type { RRuleTemporal } from 'rrule-temporal';
import { FabricError } from '../message/error.ts';
import { createReadAhead, type OccurrenceSource } from './read-ahead.ts';
import { frequencyOf, partsOf, type RuleParts } from './rule-text.ts';
import { MAX_TIME_MS, type MissedPolicy, type RecurringSchedule, type Schedule } from './schedule.ts';

/** An opened schedule: ready to say when it occurs. */
export interface Timetable {
  readonly missed: MissedPolicy;
  /**
   * The next occurrence strictly after an instant.
   * @param afterMs epoch milliseconds; `-Infinity` asks for the first
   * @returns epoch milliseconds, undefined when there is none
   * @throws TypeError when it is not a number
   */
  nextAfter(afterMs: number): number | undefined;
}

/**
 * Opens a schedule that {@link parseSchedule} has read.
 * @throws FabricError `invalid` with `details.field` when it never occurs, its `start` is a local time that the time zone
 * skips, or its COUNT reaches too far
 */
export async function openTimetable(schedule: Schedule): Promise<Timetable> {
  const nextAfter = 'at' in schedule ? oneShot(schedule.at) : await recurring(schedule);
  return {
    missed: schedule.missed,
    nextAfter(afterMs) {
      if (Number.isNaN(afterMs)) throw new TypeError('afterMs must be a number of epoch milliseconds');
      return nextAfter(afterMs);
    },
  };
}

const oneShot =
  (at: number): Timetable['nextAfter'] =>
  (afterMs) =>
    at > afterMs ? at : undefined;

/**
 * Periods that one search visits: YEARLY 400 years, MONTHLY 100, WEEKLY 40, DAILY 10, times INTERVAL. The shorter ones
 * jump to the next day that can match.
 */
const periodsAhead: Readonly<Record<string, number>> = {
  YEARLY: 400,
  MONTHLY: 1200,
  WEEKLY: 2100,
  DAILY: 4000,
  HOURLY: 1000,
  MINUTELY: 1000,
};
/** Candidates that one search compares. */
const CANDIDATES_AHEAD = 20_000;
/** The same for the one search that counts up to COUNT. */
const COUNTING = { maxIterations: 20_000, maxCandidateEvaluations: 100_000 };

async function recurring(schedule: RecurringSchedule): Promise<Timetable['nextAfter']> {
  const library = await import('rrule-temporal');
  const parts = partsOf(schedule.rrule);
  const ruleOf = (rruleString: string, bounds: typeof COUNTING): RRuleTemporal =>
    new library.RRuleTemporal({
      rruleString,
      dtstart: startOf(schedule),
      strict: true,
      cache: false,
      ...bounds,
    });
  const rule = ruleOf(endless(parts), {
    maxIterations: periodsAhead[frequencyOf(parts)] ?? 0,
    maxCandidateEvaluations: CANDIDATES_AHEAD,
  });
  const { dtstart } = rule.options();
  checkStart(schedule, dtstart.toPlainDateTime().toString());
  const next = createReadAhead(sourceOf(rule));
  const firstPossible = dtstart.epochMilliseconds;
  if (next(firstPossible - 1) === undefined)
    throw refused('rrule', 'it never occurs: give days and times that exist, and an UNTIL after the start.');
  const end = parts.has('COUNT') ? lastCounted(ruleOf(schedule.rrule, COUNTING)) : MAX_TIME_MS;
  return (afterMs) => {
    if (afterMs >= end) return undefined;
    const found = next(Math.max(afterMs, firstPossible - 1));
    return found === undefined || found > end ? undefined : found;
  };
}

/** Without COUNT, which would make the library count from the start at each search. */
const endless = (parts: RuleParts): string =>
  [...parts]
    .filter(([name]) => name !== 'COUNT')
    .map(([name, value]) => `${name}=${value}`)
    .join(';');

/** DTSTART as the library takes it. */
function startOf({ start, timeZone }: RecurringSchedule): { timeZoneId: string; toString(): string } {
  const time = typeof start === 'string' ? start : new Date(start - (start % 1000)).toISOString();
  return { timeZoneId: timeZone, toString: () => `${time}[${timeZone}]` };
}

/** The library moves a local time that is skipped, and with it all occurrences: better refused. */
function checkStart({ start, timeZone }: RecurringSchedule, resolved: string): void {
  if (typeof start === 'string' && !resolved.startsWith(start))
    throw refused('start', `clocks in ${timeZone} are put forward over ${start}: give another time.`);
}

const sourceOf = (rule: RRuleTemporal): OccurrenceSource => ({
  next: (afterMs) => bounded(() => rule.next(new Date(afterMs))?.epochMilliseconds),
  between: (afterMs, beforeMs) =>
    bounded(() => rule.between(new Date(afterMs), new Date(beforeMs)).map((time) => time.epochMilliseconds)),
});

/** The library says with a bare Error that a bound has been reached, with a RangeError that the calendar has ended. */
function bounded<T>(search: () => T): T | undefined {
  try {
    return search();
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return undefined;
  }
}

function lastCounted(rule: RRuleTemporal): number {
  const counted = bounded(() => rule.all());
  if (!counted) throw refused('rrule', 'COUNT reaches too far: use UNTIL, or a FREQ of longer periods.');
  return counted.at(-1)?.epochMilliseconds ?? -Infinity;
}

const refused = (field: string, problem: string): FabricError =>
  new FabricError('invalid', `The schedule cannot be used. ${field}: ${problem}`, { details: { field } });
