/** Round trips: the wait before sending again, after RFC 6298. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createRoundTrip } from '../../../../runtime/src/link/round-trip.ts';

const BOUNDS = { minMs: 1000, maxMs: 30_000 };

describe('a round trip', () => {
  it('is unknown, and the wait the shortest, before the first sample', () => {
    const roundTrip = createRoundTrip(BOUNDS);
    assert.equal(roundTrip.smoothedMs, undefined);
    assert.equal(roundTrip.resendAfterMs(), 1000);
  });

  it('follows its samples as RFC 6298 says', () => {
    const roundTrip = createRoundTrip({ minMs: 1, maxMs: 30_000 });
    roundTrip.sample(1000);
    assert.equal(roundTrip.smoothedMs, 1000);
    assert.equal(roundTrip.resendAfterMs(), 1000 + 4 * 500);
    roundTrip.sample(2000);
    assert.equal(roundTrip.smoothedMs, 1125);
    assert.equal(roundTrip.resendAfterMs(), 1125 + 4 * 625);
  });

  it('doubles the wait at each failure, and ends that with a sample or a reset', () => {
    const roundTrip = createRoundTrip(BOUNDS);
    const waits = [1, 2, 3].map(() => {
      roundTrip.backOff();
      return roundTrip.resendAfterMs();
    });
    assert.deepEqual(waits, [2000, 4000, 8000]);
    roundTrip.sample(10);
    assert.equal(roundTrip.resendAfterMs(), 1000);
    roundTrip.backOff();
    roundTrip.reset();
    assert.equal(roundTrip.failures, 0);
  });

  it('counts no sample that only a clock that was set can give', () => {
    const roundTrip = createRoundTrip(BOUNDS);
    roundTrip.sample(100);
    roundTrip.sample(7_200_000);
    roundTrip.sample(-7_200_000);
    assert.equal(roundTrip.smoothedMs, 100);
  });

  it('stays within its bounds, whatever is measured', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(10_000_000))), (samples) => {
        const roundTrip = createRoundTrip(BOUNDS);
        for (const sample of samples) {
          if (sample === null) roundTrip.backOff();
          else roundTrip.sample(sample);
          assert.ok(roundTrip.resendAfterMs() >= BOUNDS.minMs && roundTrip.resendAfterMs() <= BOUNDS.maxMs);
        }
      }),
      { seed: 20261124 },
    );
  });
});
