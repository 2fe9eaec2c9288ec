/** A clock that stands still until a test turns it. */
import type { Clock, Timer } from '../platform/clock.ts';

/** A clock turned by hand; also an XState clock. */
export interface ManualClock extends Clock {
  /** Timers that have been set and have neither run nor been cleared. */
  readonly pending: number;
  /**
   * Lets time pass: every timer that becomes due runs, the earliest first, and what follows from it without more time
   * is done before the next one.
   */
  advance(ms: number): Promise<void>;
  /** Waits until everything that needs no time is done. */
  settle(): Promise<void>;
  /**
   * Turns the clock from timer to timer until `work` settles, and passes on its outcome.
   * @throws Error when no timer is left, or `withinMs` (default one hour) has passed, and `work` is still under way
   */
  until<T>(work: Promise<T>, options?: { readonly withinMs?: number }): Promise<T>;
}

/** 2026-01-01T00:00:00Z: the time at which a manual clock starts unless it is told another. */
const START_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

interface Waiting {
  readonly dueMs: number;
  readonly run: () => void;
}

/** Creates a clock that shows `nowMs` (default 2026-01-01, 00:00 UTC). */
export function createManualClock({ nowMs = START_MS }: { readonly nowMs?: number } = {}): ManualClock {
  let time = nowMs;
  let lastId = 0;
  const timers = new Map<Timer, Waiting>();

  /** Runs the earliest timer due until `limitMs`. False when there is none. */
  const runNext = async (limitMs: number): Promise<boolean> => {
    const due = [...timers].filter(([, { dueMs }]) => dueMs <= limitMs);
    const [first] = due.sort(([, a], [, b]) => a.dueMs - b.dueMs);
    if (!first) return false;
    const [id, { dueMs, run }] = first;
    timers.delete(id);
    time = Math.max(time, dueMs);
    run();
    await turn();
    return true;
  };
  return {
    now: () => Math.floor(time),
    get pending() {
      return timers.size;
    },
    setTimeout(run, delayMs) {
      const id = ++lastId;
      timers.set(id, { run, dueMs: time + (delayMs > 0 ? delayMs : 0) });
      return id;
    },
    clearTimeout: (timer) => void timers.delete(timer),
    settle: turn,
    async advance(ms) {
      const limitMs = time + ms;
      await turn();
      while (await runNext(limitMs));
      time = limitMs;
    },
    until: (work, { withinMs = HOUR_MS } = {}) => untilSettled(work, { limitMs: time + withinMs, runNext }),
  };
}

interface Running {
  readonly limitMs: number;
  readonly runNext: (limitMs: number) => Promise<boolean>;
}

async function untilSettled<T>(work: Promise<T>, { limitMs, runNext }: Running): Promise<T> {
  const outcome = { settled: false };
  const settle = (): void => void (outcome.settled = true);
  work.then(settle, settle);
  await turn();
  while (!outcome.settled) {
    if (!(await runNext(limitMs)))
      throw new Error('The work has not ended, and no timer is due any more that could end it.');
  }
  return work;
}

/** One turn of the event loop: every promise that can settle without more time or input has settled after it. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
