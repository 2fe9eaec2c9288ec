import assert from 'node:assert/strict';
import { createSupervisor } from '../../../../runtime/src/actor/supervision.ts';

describe('supervision', () => {
  it('doubles the wait before each restart, up to the longest', () => {
    const supervisor = createSupervisor({ maxRestarts: 5, initialDelayMs: 100, maxDelayMs: 500 });
    const waits = [1, 2, 3, 4, 5].map((ms) => supervisor(ms));
    assert.deepEqual(
      waits,
      [100, 200, 400, 500, 500].map((restartInMs) => ({ restartInMs })),
    );
  });

  it('escalates when the restarts are used up, or stops when told so', () => {
    const escalating = createSupervisor({ maxRestarts: 1 });
    escalating(1);
    assert.equal(escalating(2), 'escalate');
    const stopping = createSupervisor({ maxRestarts: 0, thenDo: 'stop' });
    assert.equal(stopping(1), 'stop');
  });

  it('forgets crashes that lie further back than the window', () => {
    const supervisor = createSupervisor({ maxRestarts: 2, withinMs: 1000, initialDelayMs: 100 });
    supervisor(0);
    supervisor(500);
    assert.deepEqual(supervisor(1000), { restartInMs: 200 });
    assert.equal(supervisor(1001), 'escalate');
  });

  it('allows five restarts a minute when nothing is said', () => {
    const supervisor = createSupervisor();
    for (const ms of [1, 2, 3, 4, 5]) assert.equal(typeof supervisor(ms), 'object');
    assert.equal(supervisor(6), 'escalate');
  });
});
