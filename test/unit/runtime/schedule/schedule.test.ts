/** Schedules as they are written: what is taken, and what is refused with which advice. */
import assert from 'node:assert/strict';
import { FabricError } from '@hyperty/runtime';
import { MAX_TIME_MS, parseSchedule, scheduleSchema } from '../../../../runtime/src/schedule/schedule.ts';

const recurring = { rrule: 'FREQ=WEEKLY;BYDAY=MO,WE;BYHOUR=9', timeZone: 'Europe/Berlin', start: '2026-01-05T09:00' }; // prettier-ignore

describe('a schedule', () => {
  it('is read, and misses are run once where it says nothing', () => {
    assert.deepEqual(parseSchedule({ at: 5 }), { at: 5, missed: 'run-once' });
    assert.deepEqual(parseSchedule(recurring), { ...recurring, missed: 'run-once' });
  });

  it('is the same after a way through JSON and the schema', () => {
    const schedule = parseSchedule({ ...recurring, start: 1_767_600_000_000, missed: 'skip' });
    const kept: unknown = JSON.parse(JSON.stringify(schedule));
    assert.deepEqual(parseSchedule(kept), schedule);
    assert.deepEqual(scheduleSchema.parse(kept), schedule);
  });

  const refusals: readonly [what: string, value: unknown, field: string, advice: RegExp][] = [
    ['nothing', undefined, 'schedule', /expected/],
    ['a text', 'FREQ=DAILY', 'schedule', /expected/],
    ['no rule and no time', {}, 'rrule', /string/],
    ['a time that is no whole number', { at: 1.5 }, 'at', /int/],
    ['a time after the year 9999', { at: MAX_TIME_MS + 1 }, 'at', /253402300799999/],
    ['a field that nobody knows', { at: 5, colour: 'red' }, 'colour', /colour/],
    ['a time and a rule', { at: 5, ...recurring }, 'rrule', /rrule/],
    ['an unknown policy', { at: 5, missed: 'ignore' }, 'missed', /run-once/],
    ['a time zone that does not exist', { ...recurring, timeZone: 'Mars/Phobos' }, 'timeZone', /Europe\/Berlin/],
    ['an offset for a time zone', { ...recurring, timeZone: '+01:00' }, 'timeZone', /Europe\/Berlin/],
    ['a start with an offset', { ...recurring, start: '2026-01-05T09:00Z' }, 'start', /without offset/],
    ['a start on a date that does not exist', { ...recurring, start: '2026-02-30T09:00' }, 'start', /2027-01-31T09:00/],
    ['a start before 1970', { ...recurring, start: '1969-12-31T23:00' }, 'start', /1970/],
  ]; // prettier-ignore
  for (const [what, value, field, advice] of refusals)
    it(`is refused with ${what}`, () => {
      assert.throws(
        () => parseSchedule(value),
        (error) =>
          error instanceof FabricError &&
          error.code === 'invalid' &&
          error.details['field'] === field &&
          advice.test(error.message),
      );
    });

  const badRules: readonly [rrule: string, advice: RegExp][] = [
    ['', /no part of a rule/],
    ['FREQ=SECONDLY', /a minute is the shortest/],
    ['FREQ=MINUTELY;BYSECOND=0,30', /a minute is the shortest/],
    ['INTERVAL=2', /FREQ is missing/],
    ['FREQ=DAILY;FREQ=DAILY', /only once/],
    ['FREQ=DAILY;INTERVAL=0', /INTERVAL must be a number from 1/],
    ['FREQ=DAILY;COUNT=1001', /use UNTIL/],
    ['FREQ=DAILY;COUNT=2;UNTIL=20271231T000000Z', /not both/],
    ['FREQ=DAILY;UNTIL=20271231', /UTC/],
    ['FREQ=DAILY;UNTIL=20271331T000000Z', /UTC/],
    ['FREQ=DAILY;BYHOUR=24', /BYHOUR must be different numbers from 0 to 23/],
    ['FREQ=DAILY;BYHOUR=9,9', /different/],
    ['FREQ=DAILY;BYHOUR=', /BYHOUR/],
    ['FREQ=DAILY;BYHOUR=9=10', /BYHOUR/],
    ['FREQ=MONTHLY;BYMONTHDAY=0', /±1/],
    ['FREQ=WEEKLY;BYDAY=XX', /weekdays/],
    ['FREQ=MONTHLY;BYDAY=54MO', /weekdays/],
    ['FREQ=WEEKLY;BYDAY=1MO', /MONTHLY or FREQ=YEARLY/],
    ['FREQ=YEARLY;BYDAY=1MO,TU', /number, or none/],
    ['FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=3', /BYMONTHDAY/],
    ['FREQ=WEEKLY;BYMONTHDAY=3', /WEEKLY/],
    ['FREQ=DAILY;BYYEARDAY=3', /YEARLY/],
    ['FREQ=YEARLY;BYYEARDAY=3;BYDAY=MO', /BYDAY/],
    ['FREQ=YEARLY;BYWEEKNO=20', /no part of a rule/],
    ['FREQ=DAILY;BYSETPOS=1', /needs another part/],
    ['RSCALE=CHINESE;FREQ=YEARLY', /no part of a rule/],
    ['FREQ=DAILY\nRDATE:20270101T000000Z', /FREQ must be/],
    ['FREQ=DAILY;constructor=1', /no part of a rule/],
    [`FREQ=DAILY;BYHOUR=${'1,'.repeat(300)}1`, /500/],
    ['FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=8,16', /FREQ of shorter periods/],
  ];
  for (const [rrule, advice] of badRules)
    it(`is refused with the rule ${JSON.stringify(rrule.slice(0, 50))}`, () => {
      assert.throws(
        () => parseSchedule({ ...recurring, rrule }),
        (error) =>
          error instanceof FabricError && error.details['field'] === 'rrule' && advice.test(error.message),
      );
    });
});
