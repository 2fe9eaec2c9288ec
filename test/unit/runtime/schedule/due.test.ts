/** Which runs are due, under each policy for missed ones. */
import assert from 'node:assert/strict';
import { MAX_RUNS, runsDue } from '../../../../runtime/src/schedule/due.ts';
import type { MissedPolicy } from '../../../../runtime/src/schedule/schedule.ts';
import { timetableOf } from './occurrences.ts';

const MINUTE = 60_000;
const start = Date.parse('2026-06-01T00:00Z');
const minutely = (missed: MissedPolicy) =>
  timetableOf({ rrule: 'FREQ=MINUTELY', timeZone: 'UTC', start, missed });
const minute = (n: number): number => start + n * MINUTE;

describe('runs that are due', () => {
  for (const missed of ['run-once', 'run-all', 'skip'] as const) {
    it(`are none before their time (${missed})`, async () => {
      const due = runsDue(await minutely(missed), { after: minute(0), now: minute(1) - 1 });
      assert.deepEqual(due, { runs: [], next: minute(1) });
    });

    it(`are the one on time (${missed})`, async () => {
      const due = runsDue(await minutely(missed), { after: minute(0), now: minute(1) });
      assert.deepEqual(due, { runs: [{ scheduledFor: minute(1), missed: 0 }], next: minute(2) });
    });

    it(`are not given again when the clock is set back (${missed})`, async () => {
      const due = runsDue(await minutely(missed), { after: minute(10), now: minute(3) });
      assert.deepEqual(due, { runs: [], next: minute(11) });
    });

    it(`are none once the schedule has ended (${missed})`, async () => {
      const due = runsDue(await timetableOf({ at: start, missed }), { after: start, now: start });
      assert.deepEqual(due, { runs: [], next: undefined });
    });
  }

  it('are one for all missed with run-once, as of the latest', async () => {
    const due = runsDue(await minutely('run-once'), { after: minute(0), now: minute(7) + 5 });
    assert.deepEqual(due, { runs: [{ scheduledFor: minute(7), missed: 6 }], next: minute(8) });
  });

  it('are one with run-once after years, quickly, and the missed ones are counted only so far', async () => {
    const due = runsDue(await minutely('run-once'), { after: minute(0), now: minute(5_000_000) });
    assert.deepEqual(due.runs, [{ scheduledFor: minute(5_000_000), missed: MAX_RUNS }]);
    assert.equal(due.next, minute(5_000_001));
  });

  it('are each of the missed with run-all', async () => {
    const due = runsDue(await minutely('run-all'), { after: minute(0), now: minute(3) });
    assert.deepEqual(
      due.runs,
      [1, 2, 3].map((n) => ({ scheduledFor: minute(n), missed: 0 })),
    );
    assert.equal(due.next, minute(4));
  });

  it('are at most 1,000 in one call with run-all, and next is the first that was not given', async () => {
    const due = runsDue(await minutely('run-all'), { after: minute(0), now: minute(5000) });
    assert.equal(due.runs.length, MAX_RUNS);
    assert.equal(due.runs.at(-1)?.scheduledFor, minute(MAX_RUNS));
    assert.equal(due.next, minute(MAX_RUNS + 1));
  });

  it('are those within the grace time with skip', async () => {
    const timetable = await minutely('skip');
    const late = runsDue(timetable, { after: minute(0), now: minute(9) + 30_000, graceMs: 90_000 });
    assert.deepEqual(late, {
      runs: [8, 9].map((n) => ({ scheduledFor: minute(n), missed: 0 })),
      next: minute(10),
    });
  });

  it('are none with skip when the only one is too late by a millisecond', async () => {
    const timetable = await timetableOf({ at: start, missed: 'skip' });
    assert.equal(runsDue(timetable, { after: 0, now: start + MINUTE }).runs.length, 1);
    assert.deepEqual(runsDue(timetable, { after: 0, now: start + MINUTE + 1 }), {
      runs: [],
      next: undefined,
    });
  });

  for (const missed of ['run-once', 'run-all'] as const)
    it(`are a one-shot of long ago (${missed})`, async () => {
      const due = runsDue(await timetableOf({ at: start, missed }), { after: 0, now: minute(5_000_000) });
      assert.deepEqual(due, { runs: [{ scheduledFor: start, missed: 0 }], next: undefined });
    });
});
