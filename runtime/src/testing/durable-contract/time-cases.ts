/** Cases of the durable contract: timers, reminders, and what is not in memory. */
import { expectEqual, expectTrue } from '../expectation.ts';
import { durableCase, type DurableCase, type Process } from './durable-case.ts';
import type { Count, Rings } from './party.ts';

const rung = async (process: Process): Promise<Rings> =>
  (await process.ask('alarm', { type: 'rings' })) as Rings;

const AFTER_MS = 800;

/** What comes in its time. */
export const timeCases: readonly DurableCase[] = [
  durableCase('keeps its timers and reminders over a restart', async ({ company, eventually }) => {
    const acme = await company('acme.example');
    const first = await acme.start();
    const setAt = Date.now();
    const event = { type: 'set', afterMs: AFTER_MS, at: setAt + AFTER_MS };
    await first.ask('alarm', event);
    first.kill();
    const second = await acme.start();
    const hasRung = async (): Promise<boolean> => {
      const { after, reminded } = await rung(second);
      return after.length > 0 && reminded.length > 0;
    };
    await eventually(hasRung, 'timer and reminder');
    const { after, reminded } = await rung(second);
    expectEqual(reminded, [setAt + AFTER_MS], 'reminders');
    expectEqual(after.length, 1, 'timers that have run');
    const [at = 0] = after;
    expectTrue(at >= setAt + AFTER_MS, `the timer ran after ${at - setAt} ms`);
  }),
  durableCase('passes out of memory, and a message wakes it', async ({ company, eventually }) => {
    const acme = await company('acme.example');
    const process = await acme.start();
    const add = (note: string) => process.ask('counter', { type: 'add', amount: 1, note });
    await add('before');
    await eventually(() => process.runtime.inspect().hyperties.length === 0, 'passing out of memory');
    const { total, notes } = (await add('after')) as Count;
    expectEqual([total, notes], [2, ['before', 'after']], 'what it says when it is woken');
  }),
  durableCase('passes out of memory, and its timer and its reminder wake it', async (stage) => {
    const acme = await stage.company('acme.example');
    const process = await acme.start();
    const at = Date.now() + AFTER_MS;
    await process.ask('alarm', { type: 'set', afterMs: AFTER_MS / 2, at });
    const isAwake = (): boolean => process.runtime.inspect().hyperties.length > 0;
    await stage.eventually(() => !isAwake(), 'passing out of memory');
    await stage.eventually(isAwake, 'waking for the timer');
    await stage.eventually(() => Date.now() > at, 'the time of the reminder');
    await stage.eventually(isAwake, 'waking for the reminder');
    const { after, reminded } = await rung(process);
    expectEqual([after.length, reminded], [1, [at]], 'what has run');
  }),
];
