/** The throttle: so many a second, whatever is asked for. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createThrottle } from '../../../../runtime/src/link/throttle.ts';

describe('a throttle', () => {
  it('allows one second’s worth at once, then as many as time brings', () => {
    let now = 0;
    const throttle = createThrottle(5, () => now);
    const takeAll = (): number => Array.from({ length: 20 }, () => throttle.take()).filter(Boolean).length;
    assert.equal(takeAll(), 5);
    assert.equal(takeAll(), 0);
    now += 400;
    assert.equal(takeAll(), 2);
    now += 60_000;
    assert.equal(takeAll(), 5);
  });

  it('never allows more than twice its rate in a second', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 200 }), (waits) => {
        let now = 0;
        const throttle = createThrottle(7, () => now);
        const taken: number[] = [];
        for (const wait of waits) {
          now += wait;
          if (throttle.take()) taken.push(now);
        }
        for (const at of taken)
          assert.ok(taken.filter((other) => other >= at && other < at + 1000).length <= 14);
      }),
      { seed: 20261124 },
    );
  });

  it('goes on within a second when the clock is set back an hour', () => {
    let now = 10_000_000;
    const throttle = createThrottle(2, () => now);
    throttle.take();
    now -= 3_600_000;
    throttle.take();
    assert.equal(throttle.take(), false);
    now += 1000;
    assert.equal(throttle.take(), true);
  });
});
