/** Timetables: daylight saving, ends, and rules that would be endless work. */
import assert from 'node:assert/strict';
import { FabricError } from '@hyperty/runtime';
import { take, timetableOf, wall } from './occurrences.ts';

const berlin = 'Europe/Berlin';
const utc = (text: string): number => Date.parse(`${text}Z`);
const inBerlin = (times: readonly number[]): string[] => times.map((ms) => wall(berlin, ms));
const daily = (start: string, more = '') =>
  timetableOf({ rrule: `FREQ=DAILY${more}`, timeZone: berlin, start });

const refusesField = (field: string, text: RegExp) => (error: unknown) =>
  error instanceof FabricError &&
  error.code === 'invalid' &&
  error.details['field'] === field &&
  text.test(error.message);

describe('a timetable across changes of the clock', () => {
  it('keeps 09:00 in Berlin when clocks are put forward', async () => {
    const found = take(await daily('2026-03-28T09:00'), 3);
    assert.deepEqual(found, [utc('2026-03-28T08:00'), utc('2026-03-29T07:00'), utc('2026-03-30T07:00')]);
  });

  it('keeps 09:00 in Berlin when clocks are put back', async () => {
    const found = take(await daily('2026-10-24T09:00'), 3);
    assert.deepEqual(found, [utc('2026-10-24T07:00'), utc('2026-10-25T08:00'), utc('2026-10-26T08:00')]);
  });

  it('has no occurrence where the local time is skipped, and goes on as before', async () => {
    const found = take(await daily('2026-03-28T02:30'), 3);
    assert.deepEqual(inBerlin(found), ['2026-03-28 02:30', '2026-03-30 02:30', '2026-03-31 02:30']);
  });

  it('does not count a skipped local time', async () => {
    const found = take(await daily('2026-03-28T02:30', ';COUNT=3'), 9);
    assert.deepEqual(inBerlin(found), ['2026-03-28 02:30', '2026-03-30 02:30', '2026-03-31 02:30']);
  });

  it('occurs once, the first time, where the local time exists twice', async () => {
    const found = take(await daily('2026-10-24T02:30'), 3);
    assert.deepEqual(found, [utc('2026-10-24T00:30'), utc('2026-10-25T00:30'), utc('2026-10-26T01:30')]);
  });

  it('may start in the second of two equal local times, given as an instant', async () => {
    const start = utc('2026-10-25T01:30');
    const timetable = await timetableOf({ rrule: 'FREQ=DAILY', timeZone: berlin, start });
    assert.deepEqual(take(timetable, 2), [start, utc('2026-10-26T01:30')]);
  });

  it('leaves the repeated hour out when hourly', async () => {
    const timetable = await timetableOf({
      rrule: 'FREQ=HOURLY',
      timeZone: berlin,
      start: '2026-10-25T01:00',
    });
    assert.deepEqual(take(timetable, 3), [
      utc('2026-10-24T23:00'),
      utc('2026-10-25T00:00'),
      utc('2026-10-25T02:00'),
    ]);
  });

  for (const start of ['2026-10-25T00:00', '2026-03-29T00:00'])
    it(`counts elapsed time by the minute, from ${start}`, async () => {
      const rrule = 'FREQ=MINUTELY;INTERVAL=60';
      const found = take(await timetableOf({ rrule, timeZone: berlin, start }), 6);
      assert.deepEqual(found, found.map((_, i) => (found[0] ?? NaN) + i * 3_600_000)); // prettier-ignore
    });

  it('knows a change of half an hour', async () => {
    const timeZone = 'Australia/Lord_Howe';
    const timetable = await timetableOf({ rrule: 'FREQ=DAILY', timeZone, start: '2026-04-04T09:00' });
    assert.deepEqual(take(timetable, 2), [utc('2026-04-03T22:00'), utc('2026-04-04T22:30')]);
  });

  it('is refused when its start is a local time that is skipped', async () => {
    await assert.rejects(daily('2026-03-29T02:30'), refusesField('start', /put forward/));
  });
});

describe('a timetable', () => {
  it('occurs on 29 February of leap years only, also where a century has none', async () => {
    const timetable = await timetableOf({
      rrule: 'FREQ=YEARLY',
      timeZone: berlin,
      start: '2092-02-29T09:00',
    });
    const found = inBerlin(take(timetable, 3));
    assert.deepEqual(found, ['2092-02-29 09:00', '2096-02-29 09:00', '2104-02-29 09:00']);
  });

  it('finds 29 February by the day over the eight years without one', async () => {
    const rrule = 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29';
    const timetable = await timetableOf({ rrule, timeZone: berlin, start: '2096-02-29T09:00' });
    assert.deepEqual(inBerlin(take(timetable, 2)), ['2096-02-29 09:00', '2104-02-29 09:00']);
  });

  it('occurs on the last day of each month', async () => {
    const timetable = await timetableOf({ rrule: 'FREQ=MONTHLY;BYMONTHDAY=-1', timeZone: berlin, start: '2028-01-31T09:00' }); // prettier-ignore
    const found = inBerlin(take(timetable, 3));
    assert.deepEqual(found, ['2028-01-31 09:00', '2028-02-29 09:00', '2028-03-31 09:00']);
  });

  it('takes UNTIL in, to the second', async () => {
    const found = take(await daily('2026-06-01T09:00', ';UNTIL=20260603T070000Z'), 9);
    assert.equal(found.at(-1), utc('2026-06-03T07:00'));
    assert.equal(take(await daily('2026-06-01T09:00', ';UNTIL=20260603T065959Z'), 9).length, 2);
  });

  it('ends after COUNT occurrences, however late it is asked', async () => {
    const timetable = await daily('2026-06-01T09:00', ';COUNT=1000');
    assert.equal(take(timetable, 2000).length, 1000);
    assert.equal(timetable.nextAfter(utc('2040-01-01T00:00')), undefined);
    assert.equal(timetable.nextAfter(Infinity), undefined);
  });

  it('does not count a start that the rule does not match', async () => {
    const found = take(await daily('2026-06-02T09:00', ';BYDAY=MO;COUNT=2'), 9);
    assert.deepEqual(inBerlin(found), ['2026-06-08 09:00', '2026-06-15 09:00']);
  });

  it('drops parts of a second of its start', async () => {
    const start = utc('2026-06-01T09:00') + 789;
    const timetable = await timetableOf({ rrule: 'FREQ=MINUTELY', timeZone: 'UTC', start });
    assert.deepEqual(take(timetable, 2), [start - 789, start - 789 + 60_000]);
  });

  it('occurs once when it is a one-shot', async () => {
    const timetable = await timetableOf({ at: 5000 });
    assert.equal(timetable.nextAfter(4999), 5000);
    assert.equal(timetable.nextAfter(5000), undefined);
  });

  it('refuses to look after what is no number', async () => {
    const timetable = await timetableOf({ at: 5000 });
    assert.throws(() => timetable.nextAfter(NaN), TypeError);
  });
});

describe('a rule that would be endless work', () => {
  const never = [
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=MINUTELY;INTERVAL=1440;BYHOUR=10',
    'FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6',
    `FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7;BYMINUTE=${[...Array(60).keys()].join(',')};BYSETPOS=366;BYMONTH=2;BYMONTHDAY=30`,
    'FREQ=DAILY;UNTIL=20200101T000000Z',
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5',
  ];
  for (const rrule of never)
    it(`is refused, as it never occurs: ${rrule.slice(0, 60)}`, async () => {
      const opened = timetableOf({ rrule, timeZone: 'UTC', start: '2026-06-01T09:00' });
      await assert.rejects(opened, refusesField('rrule', /never occurs/));
    }).timeout(5000);

  it('is refused when it counts over too long a time', async () => {
    const opened = daily('2026-06-01T09:00', ';BYMONTH=1;BYMONTHDAY=1;COUNT=1000');
    await assert.rejects(opened, refusesField('rrule', /UNTIL/));
  });

  it('ends with the calendar', async () => {
    const timetable = await timetableOf({ rrule: 'FREQ=YEARLY;INTERVAL=99999', timeZone: 'UTC', start: 0 });
    assert.deepEqual(take(timetable, 2), [0]);
  });
});
