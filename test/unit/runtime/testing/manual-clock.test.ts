import assert from 'node:assert/strict';
import { delay } from '@hyperty/runtime';
import { createManualClock } from '@hyperty/runtime/testing';
import { createActor, setup } from 'xstate';

describe('manual clock', () => {
  it('runs timers in the order in which they are due, and counts those that wait', async () => {
    const clock = createManualClock({ nowMs: 1000 });
    const ran: string[] = [];
    clock.setTimeout(() => ran.push(`late at ${clock.now()}`), 20);
    clock.setTimeout(() => ran.push(`early at ${clock.now()}`), 10);
    clock.setTimeout(() => ran.push('never'), 31);
    assert.equal(clock.pending, 3);
    await clock.advance(30);
    assert.deepEqual(ran, ['early at 1010', 'late at 1020']);
    assert.equal(clock.now(), 1030);
    assert.equal(clock.pending, 1);
  });

  it('keeps the order of timers that are due at the same time', async () => {
    const clock = createManualClock();
    const ran: number[] = [];
    for (const n of [1, 2, 3]) clock.setTimeout(() => ran.push(n), 5);
    await clock.advance(5);
    assert.deepEqual(ran, [1, 2, 3]);
  });

  it('lets promises settle between timers', async () => {
    const clock = createManualClock();
    const ran: string[] = [];
    void delay(clock, 10).then(async () => {
      await Promise.resolve();
      ran.push('what follows');
    });
    clock.setTimeout(() => ran.push('next timer'), 11);
    await clock.advance(20);
    assert.deepEqual(ran, ['what follows', 'next timer']);
  });

  it('does not run a cleared timer', async () => {
    const clock = createManualClock();
    const timer = clock.setTimeout(() => assert.fail('it was cleared'), 10);
    clock.clearTimeout(timer);
    await clock.advance(10);
    assert.equal(clock.pending, 0);
  });

  it('turns until work has ended, and passes on its outcome', async () => {
    const clock = createManualClock();
    assert.equal(await clock.until(delay(clock, 60_000).then(() => 'done')), 'done');
    const failing = delay(clock, 10).then(() => Promise.reject(new Error('failed')));
    await assert.rejects(clock.until(failing), /failed/);
  });

  it('says so when no timer can end the work', async () => {
    const clock = createManualClock();
    await assert.rejects(clock.until(new Promise(() => undefined)), /no timer is due/);
    await assert.rejects(clock.until(delay(clock, 2000), { withinMs: 1000 }), /no timer is due/);
  });

  it('drives the delayed transitions of XState', async () => {
    const clock = createManualClock();
    const machine = setup({}).createMachine({
      initial: 'waiting',
      states: { waiting: { after: { 500: 'done' } }, done: {} },
    });
    const actor = createActor(machine, { clock }).start();
    await clock.advance(499);
    assert.equal(actor.getSnapshot().value, 'waiting');
    await clock.advance(1);
    assert.equal(actor.getSnapshot().value, 'done');
  });
});
