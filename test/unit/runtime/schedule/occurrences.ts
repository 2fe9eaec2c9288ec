/** What the tests of schedules share: the first occurrences, and how they read on a wall clock. */
import { openTimetable, type Timetable } from '../../../../runtime/src/schedule/recurrence.ts';
import { parseSchedule, type ScheduleInput } from '../../../../runtime/src/schedule/schedule.ts';

/** Opens what a user would write. */
export const timetableOf = (input: ScheduleInput): Promise<Timetable> => openTimetable(parseSchedule(input));

/** The first occurrences after an instant, at most `count`. */
export function take(timetable: Timetable, count: number, afterMs = -Infinity): number[] {
  const found: number[] = [];
  let next = timetable.nextAfter(afterMs);
  while (next !== undefined && found.length < count) {
    found.push(next);
    next = timetable.nextAfter(next);
  }
  return found;
}

/** All occurrences up to and with an instant. */
export function takeUntil(timetable: Timetable, endMs: number): number[] {
  const found: number[] = [];
  for (let next = timetable.nextAfter(-Infinity); next !== undefined && next <= endMs;) {
    found.push(next);
    next = timetable.nextAfter(next);
  }
  return found;
}

/** An instant as a wall clock shows it: `1997-09-02 09:00`. Made by Intl, so it owes nothing to the library. */
export const wall = (timeZone: string, ms: number): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(ms);
