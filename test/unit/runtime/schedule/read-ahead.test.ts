/** Reading ahead: the same answers as the source gives, with fewer searches. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createReadAhead, type OccurrenceSource } from '../../../../runtime/src/schedule/read-ahead.ts';

/** A source over given times that counts its searches; `most` in one batch, else it is too much work. */
function sourceOf(times: readonly number[], most = Infinity) {
  const calls = { count: 0 };
  const source: OccurrenceSource = {
    next(afterMs) {
      calls.count++;
      return times.find((time) => time > afterMs);
    },
    between(afterMs, beforeMs) {
      calls.count++;
      const found = times.filter((time) => time > afterMs && time < beforeMs);
      return found.length > most ? undefined : found;
    },
  };
  return { source, calls };
}

/** Asks for the next of each answer, as a caller who walks does. */
function walk(next: OccurrenceSource['next']): number[] {
  const found: number[] = [];
  for (let at = next(-1); at !== undefined; at = next(at)) found.push(at);
  return found;
}

const minutes = Array.from({ length: 2000 }, (_, i) => i * 60_000);

describe('reading ahead', () => {
  it('needs few searches for many occurrences', () => {
    const { source, calls } = sourceOf(minutes);
    assert.deepEqual(walk(createReadAhead(source)), minutes);
    assert.ok(calls.count < 40, `${calls.count} searches`);
  });

  it('finds all occurrences of a source that refuses batches', () => {
    for (const most of [-1, 0, 3, 100]) {
      const { source } = sourceOf(minutes, most);
      assert.deepEqual(walk(createReadAhead(source)), minutes);
    }
  });

  it('answers as its source does, in whatever order it is asked', () => {
    const hour = 3_600_000;
    const times = fc
      .uniqueArray(fc.integer({ min: 0, max: 100 * hour }), { maxLength: 60 })
      .map((list) => list.sort((a, b) => a - b));
    const step = fc.oneof(fc.constant('on' as const), fc.integer({ min: -1, max: 100 * hour }));
    fc.assert(
      fc.property(times, fc.array(step, { maxLength: 40 }), (list, steps) => {
        const { source } = sourceOf(list);
        const next = createReadAhead(source);
        let at = -1;
        for (const where of steps) {
          if (where !== 'on') at = where;
          const found = next(at);
          assert.equal(found, source.next(at));
          at = found ?? at;
        }
      }),
      { seed: 20261124, numRuns: 300 },
    );
  });
});
