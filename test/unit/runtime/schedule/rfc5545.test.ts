/** The examples of RFC 5545 §3.8.5.3 and §3.3.10, with the dates that stand there. All are in New York. */
import assert from 'node:assert/strict';
import { take, timetableOf, wall } from './occurrences.ts';

const timeZone = 'America/New_York';

interface Example {
  readonly what: string;
  readonly start: string;
  readonly rrule: string;
  /** Month and days of each year, at the time of the start; the first ones, or all where the rule ends. */
  readonly days: Readonly<Record<string, string>>;
}

const examples: readonly Example[] = [
  { what: 'daily for 10 occurrences', start: '1997-09-02T09:00', rrule: 'FREQ=DAILY;COUNT=10', days: { 1997: '09: 2 3 4 5 6 7 8 9 10 11' } }, // prettier-ignore
  { what: 'every other day', start: '1997-09-02T09:00', rrule: 'FREQ=DAILY;INTERVAL=2', days: { 1997: '09: 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30, 10: 2 4 6' } }, // prettier-ignore
  { what: 'every 10 days, 5 occurrences', start: '1997-09-02T09:00', rrule: 'FREQ=DAILY;INTERVAL=10;COUNT=5', days: { 1997: '09: 2 12 22, 10: 2 12' } }, // prettier-ignore
  { what: 'weekly for 10 occurrences', start: '1997-09-02T09:00', rrule: 'FREQ=WEEKLY;COUNT=10', days: { 1997: '09: 2 9 16 23 30, 10: 7 14 21 28, 11: 4' } }, // prettier-ignore
  { what: 'every other week', start: '1997-09-02T09:00', rrule: 'FREQ=WEEKLY;INTERVAL=2;WKST=SU', days: { 1997: '09: 2 16 30, 10: 14 28, 11: 11 25, 12: 9 23', 1998: '01: 6 20, 02: 3 17' } }, // prettier-ignore
  { what: 'on Tuesday and Thursday for five weeks', start: '1997-09-02T09:00', rrule: 'FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH', days: { 1997: '09: 2 4 9 11 16 18 23 25 30, 10: 2' } }, // prettier-ignore
  { what: 'every other week on three days until Christmas Eve', start: '1997-09-01T09:00', rrule: 'FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR', days: { 1997: '09: 1 3 5 15 17 19 29, 10: 1 3 13 15 17 27 29 31, 11: 10 12 14 24 26 28, 12: 8 10 12 22' } }, // prettier-ignore
  { what: 'on the first Friday of 10 months', start: '1997-09-05T09:00', rrule: 'FREQ=MONTHLY;COUNT=10;BYDAY=1FR', days: { 1997: '09: 5, 10: 3, 11: 7, 12: 5', 1998: '01: 2, 02: 6, 03: 6, 04: 3, 05: 1, 06: 5' } }, // prettier-ignore
  { what: 'every other month on its first and last Sunday', start: '1997-09-07T09:00', rrule: 'FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU', days: { 1997: '09: 7 28, 11: 2 30', 1998: '01: 4 25, 03: 1 29, 05: 3 31' } }, // prettier-ignore
  { what: 'on the second-to-last Monday for 6 months', start: '1997-09-22T09:00', rrule: 'FREQ=MONTHLY;COUNT=6;BYDAY=-2MO', days: { 1997: '09: 22, 10: 20, 11: 17, 12: 22', 1998: '01: 19, 02: 16' } }, // prettier-ignore
  { what: 'on the third-to-last day of the month', start: '1997-09-28T09:00', rrule: 'FREQ=MONTHLY;BYMONTHDAY=-3', days: { 1997: '09: 28, 10: 29, 11: 28, 12: 29', 1998: '01: 29, 02: 26' } }, // prettier-ignore
  { what: 'on the 2nd and 15th', start: '1997-09-02T09:00', rrule: 'FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15', days: { 1997: '09: 2 15, 10: 2 15, 11: 2 15, 12: 2 15', 1998: '01: 2 15' } }, // prettier-ignore
  { what: 'on the first and last day of the month', start: '1997-09-30T09:00', rrule: 'FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1', days: { 1997: '09: 30, 10: 1 31, 11: 1 30, 12: 1 31', 1998: '01: 1 31, 02: 1' } }, // prettier-ignore
  { what: 'every 18 months on the 10th to 15th', start: '1997-09-10T09:00', rrule: 'FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15', days: { 1997: '09: 10 11 12 13 14 15', 1999: '03: 10 11 12 13' } }, // prettier-ignore
  { what: 'every third year on its 1st, 100th and 200th day', start: '1997-01-01T09:00', rrule: 'FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200', days: { 1997: '01: 1, 04: 10, 07: 19', 2000: '01: 1, 04: 9, 07: 18', 2003: '01: 1, 04: 10, 07: 19', 2006: '01: 1' } }, // prettier-ignore
  { what: 'on the 20th Monday of the year', start: '1997-05-19T09:00', rrule: 'FREQ=YEARLY;BYDAY=20MO', days: { 1997: '05: 19', 1998: '05: 18', 1999: '05: 17' } }, // prettier-ignore
  { what: 'on every Thursday in March', start: '1997-03-13T09:00', rrule: 'FREQ=YEARLY;BYMONTH=3;BYDAY=TH', days: { 1997: '03: 13 20 27', 1998: '03: 5 12 19 26', 1999: '03: 4 11 18 25' } }, // prettier-ignore
  { what: 'on every Friday the 13th', start: '1997-09-02T09:00', rrule: 'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', days: { 1998: '02: 13, 03: 13, 11: 13', 1999: '08: 13', 2000: '10: 13' } }, // prettier-ignore
  { what: 'on US election day', start: '1996-11-05T09:00', rrule: 'FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8', days: { 1996: '11: 5', 2000: '11: 7', 2004: '11: 2' } }, // prettier-ignore
  { what: 'on the third Tuesday, Wednesday or Thursday', start: '1997-09-04T09:00', rrule: 'FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3', days: { 1997: '09: 4, 10: 7, 11: 6' } }, // prettier-ignore
  { what: 'on the second-to-last working day', start: '1997-09-29T09:00', rrule: 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2', days: { 1997: '09: 29, 10: 30, 11: 27, 12: 30', 1998: '01: 29, 02: 26, 03: 30' } }, // prettier-ignore
  { what: 'with weeks that start on Monday', start: '1997-08-05T09:00', rrule: 'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO', days: { 1997: '08: 5 10 19 24' } }, // prettier-ignore
  { what: 'with weeks that start on Sunday', start: '1997-08-05T09:00', rrule: 'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU', days: { 1997: '08: 5 17 19 31' } }, // prettier-ignore
  { what: 'without the 30th of February', start: '2007-01-15T09:00', rrule: 'FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5', days: { 2007: '01: 15 30, 02: 15, 03: 15 30' } }, // prettier-ignore
];

/** `{ 1997: '09: 2 3' }` → `1997-09-02 09:00`, `1997-09-03 09:00`. */
const dates = (days: Example['days']): string[] =>
  Object.entries(days).flatMap(([year, months]) =>
    months.split(', ').flatMap((text) => {
      const [month, list = ''] = text.split(': ');
      return list.split(' ').map((day) => `${year}-${month}-${day.padStart(2, '0')} 09:00`);
    }),
  );

/** The first occurrences as a wall clock in New York shows them. */
async function first(count: number, start: string, rrule: string): Promise<string[]> {
  const timetable = await timetableOf({ rrule, start, timeZone });
  return take(timetable, count).map((ms) => wall(timeZone, ms));
}

describe('the examples of RFC 5545', () => {
  for (const { what, start, rrule, days } of examples)
    it(`occur ${what}`, async () => {
      const expected = dates(days);
      const ends = /COUNT|UNTIL/.test(rrule);
      assert.deepEqual(await first(expected.length + (ends ? 1 : 0), start, rrule), expected);
    });

  it('occur each day until Christmas Eve, on both sides of the change to winter time', async () => {
    const found = await first(200, '1997-09-02T09:00', 'FREQ=DAILY;UNTIL=19971224T000000Z');
    assert.equal(found.length, 113);
    assert.equal(found.at(-1), '1997-12-23 09:00');
    assert.ok(found.every((time) => time.endsWith(' 09:00')));
  });

  it('occur each day in January for three years, written in two ways', async () => {
    const end = 'UNTIL=20000131T140000Z;BYMONTH=1';
    const yearly = await first(100, '1998-01-01T09:00', `FREQ=YEARLY;${end};BYDAY=SU,MO,TU,WE,TH,FR,SA`);
    assert.equal(yearly.length, 93);
    assert.deepEqual(await first(100, '1998-01-01T09:00', `FREQ=DAILY;${end}`), yearly);
  });

  it('occur every 3 hours of a day, as erratum 3883 puts its end', async () => {
    const found = await first(9, '1997-09-02T09:00', 'FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z');
    assert.deepEqual(found, ['1997-09-02 09:00', '1997-09-02 12:00', '1997-09-02 15:00']);
  });

  it('occur every hour and a half', async () => {
    const found = await first(9, '1997-09-02T09:00', 'FREQ=MINUTELY;INTERVAL=90;COUNT=4');
    assert.deepEqual(found, ['1997-09-02 09:00', '1997-09-02 10:30', '1997-09-02 12:00', '1997-09-02 13:30']);
  });

  it('occur every 20 minutes of the working day, written in two ways', async () => {
    const hours = 'BYHOUR=9,10,11,12,13,14,15,16';
    const daily = await first(30, '1997-09-02T09:00', `FREQ=DAILY;${hours};BYMINUTE=0,20,40`);
    assert.equal(daily[23], '1997-09-02 16:40');
    assert.equal(daily[24], '1997-09-03 09:00');
    assert.deepEqual(await first(30, '1997-09-02T09:00', `FREQ=MINUTELY;INTERVAL=20;${hours}`), daily);
  });
});
