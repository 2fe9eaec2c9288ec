/** Waiting on a clock: it ends in time, by a signal, or with the work that it limits, and leaves no timer. */
import assert from 'node:assert/strict';
import { delay, systemClock } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { atMost } from '../../../../runtime/src/platform/clock.ts';

/** The longest delay that a platform's timers understand, milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

describe('waiting on a clock', () => {
  let clock: ManualClock;

  beforeEach(() => (clock = createManualClock()));
  afterEach(() => assert.equal(clock.pending, 0, 'timers are left'));

  it('ends after its time', async () => {
    let isOver = false;
    void delay(clock, 100).then(() => (isOver = true));
    await clock.advance(99);
    assert.equal(isOver, false);
    await clock.advance(1);
    assert.equal(isOver, true);
  });

  it('ends with the reason of a signal, aborted before or meanwhile', async () => {
    const reason = new Error('enough');
    await assert.rejects(delay(clock, 100, AbortSignal.abort(reason)), reason);
    const abort = new AbortController();
    const waiting = delay(clock, 100, abort.signal);
    abort.abort(reason);
    await assert.rejects(waiting, reason);
  });

  it('ends with the work that it limits, whether that succeeds or fails', async () => {
    await atMost(clock, 100, Promise.resolve());
    await atMost(clock, 100, Promise.reject(new Error('failed')));
  });

  it('ends without the work after its time', async () => {
    const never = new Promise(() => undefined);
    await clock.until(atMost(clock, 100, never));
  });
});

describe('the system clock', () => {
  it('takes a delay beyond what timers understand for the longest, not for none', async () => {
    const warnings: string[] = [];
    const warn = ({ name }: Error): number => warnings.push(name);
    process.on('warning', warn);
    const timer = systemClock.setTimeout(() => assert.fail('it ran at once'), 2 ** 40);
    await new Promise((resolve) => setImmediate(resolve)); // Node.js warns of a delay that it cannot keep
    systemClock.clearTimeout(timer);
    process.off('warning', warn);
    assert.deepEqual(warnings, []);
  });

  describe('with timers of the platform that a test turns', () => {
    const { setTimeout, clearTimeout } = globalThis;
    let clock: ManualClock;
    let runs: number;

    beforeEach(() => {
      [clock, runs] = [createManualClock(), 0];
      const replaced = {
        setTimeout: (run: () => void, delayMs: number) =>
          clock.setTimeout(run, delayMs > LONGEST_MS ? 1 : delayMs), // as platforms do
        clearTimeout: (timer: unknown) => clock.clearTimeout(timer),
      };
      Object.assign(globalThis, replaced);
    });
    afterEach(() => Object.assign(globalThis, { setTimeout, clearTimeout }));

    for (const delayMs of [LONGEST_MS, LONGEST_MS + 1, 2 * LONGEST_MS, 2 ** 40])
      it(`runs what is set for ${delayMs} ms then, not earlier, and once`, async () => {
        systemClock.setTimeout(() => (runs += 1), delayMs);
        await clock.advance(delayMs - 1);
        assert.equal(runs, 0);
        await clock.advance(1);
        assert.equal(runs, 1);
        assert.equal(clock.pending, 0);
      });

    for (const afterMs of [0, LONGEST_MS + 1])
      it(`does not run what is cleared after ${afterMs} ms, and leaves no timer`, async () => {
        const timer = systemClock.setTimeout(() => (runs += 1), 2 ** 40);
        await clock.advance(afterMs);
        systemClock.clearTimeout(timer);
        assert.equal(clock.pending, 0);
        await clock.advance(2 ** 40);
        assert.equal(runs, 0);
      });
  });
});
