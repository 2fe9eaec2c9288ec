/** Whatever the rule and whenever somebody asks: occurrences increase, and each is accounted for once. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { runsDue, type DueRun } from '../../../../runtime/src/schedule/due.ts';
import type { Timetable } from '../../../../runtime/src/schedule/recurrence.ts';
import type { ScheduleInput } from '../../../../runtime/src/schedule/schedule.ts';
import { take, takeUntil, timetableOf } from './occurrences.ts';

const SETTINGS = { seed: 20261124, numRuns: 40 };
const DAY = 86_400_000;
const FROM = Date.parse('2026-02-01T00:00Z');

const list = (values: readonly (string | number)[]) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
const rules = fc.oneof(
  fc.integer({ min: 60, max: 500 }).map((interval) => `FREQ=MINUTELY;INTERVAL=${interval}`),
  fc.integer({ min: 1, max: 7 }).map((interval) => `FREQ=HOURLY;INTERVAL=${interval}`),
  list([0, 1, 2, 3, 9, 23]).map((hours) => `FREQ=DAILY;BYHOUR=${hours};BYMINUTE=0,30`),
  fc.integer({ min: 1, max: 40 }).map((count) => `FREQ=DAILY;COUNT=${count}`),
  list(['MO', 'WE', 'SA', 'SU']).map((days) => `FREQ=WEEKLY;BYDAY=${days};UNTIL=20260601T000000Z`),
  list(['1MO', '-1SU', '3FR']).map((days) => `FREQ=MONTHLY;BYDAY=${days}`),
  list([1, 15, -1, 31]).map((days) => `FREQ=MONTHLY;BYMONTHDAY=${days}`),
);
/** Time zones that put their clocks forward within the time looked at, and one that never does. */
const schedules: fc.Arbitrary<ScheduleInput & { readonly rrule: string }> = fc.record({
  rrule: rules,
  timeZone: fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC'),
  start: fc.integer({ min: FROM, max: FROM + 40 * DAY }),
});
/** Growing instants at which somebody asks, over up to 80 days; some in the same millisecond. */
const askings = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 8 * DAY }), fc.constant(0)), { minLength: 1, maxLength: 10 })
  .map((steps) => steps.map((_, i) => FROM + steps.slice(0, i + 1).reduce((sum, step) => sum + step, 0)));

/** Asks at each instant as a caller would, and goes on while more is due. */
function runsOf(timetable: Timetable, instants: readonly number[]): DueRun[] {
  const given: DueRun[] = [];
  for (const now of instants) {
    let more = true;
    while (more) {
      const { runs, next } = runsDue(timetable, { after: given.at(-1)?.scheduledFor ?? 0, now });
      given.push(...runs);
      more = next !== undefined && next <= now;
    }
  }
  return given;
}

describe('occurrences, as a property', () => {
  it('strictly increase, and are found from anywhere between them', async () => {
    await fc.assert(
      fc.asyncProperty(schedules, fc.double({ min: 0, max: 1, noNaN: true }), async (schedule, part) => {
        const timetable = await timetableOf(schedule);
        const found = take(timetable, 40);
        for (const [i, at] of found.entries()) {
          const before = found[i - 1] ?? at - DAY;
          assert.ok(at > before);
          assert.equal(timetable.nextAfter(before + Math.floor((at - before - 1) * part)), at);
        }
      }),
      SETTINGS,
    );
  });

  it('are each given exactly once and in order with run-all', async () => {
    await fc.assert(
      fc.asyncProperty(schedules, askings, async (schedule, instants) => {
        const timetable = await timetableOf({ ...schedule, missed: 'run-all' });
        const given = runsOf(timetable, instants).map((run) => run.scheduledFor);
        assert.deepEqual(given, takeUntil(timetable, instants.at(-1) ?? 0));
      }),
      SETTINGS,
    );
  });

  it('are each run or counted as missed with run-once', async () => {
    await fc.assert(
      fc.asyncProperty(schedules, askings, async (schedule, instants) => {
        const timetable = await timetableOf({ ...schedule, missed: 'run-once' });
        const given = runsOf(timetable, instants);
        const occurred = takeUntil(timetable, instants.at(-1) ?? 0);
        assert.equal(given.reduce((sum, run) => sum + 1 + run.missed, 0), occurred.length); // prettier-ignore
        assert.equal(given.at(-1)?.scheduledFor, occurred.at(-1));
      }),
      SETTINGS,
    );
  });

  it('are given with skip only within the grace time', async () => {
    await fc.assert(
      fc.asyncProperty(
        schedules,
        askings,
        fc.integer({ min: 0, max: DAY }),
        async (schedule, instants, graceMs) => {
          const timetable = await timetableOf({ ...schedule, missed: 'skip' });
          const occurred = takeUntil(timetable, instants.at(-1) ?? 0);
          let after = 0;
          for (const now of instants) {
            const { runs } = runsDue(timetable, { after, now, graceMs });
            const expected = occurred.filter((at) => at > after && at <= now && now - at <= graceMs);
            assert.deepEqual(runs.map((run) => run.scheduledFor), expected); // prettier-ignore
            after = runs.at(-1)?.scheduledFor ?? after;
          }
        },
      ),
      SETTINGS,
    );
  });
});
