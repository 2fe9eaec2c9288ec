/** The reminders of one durable hyperty: what it asked to be sent, when next, and how far each has come. */
import { FabricError } from '../message/error.ts';
import { runsDue } from '../schedule/due.ts';
import { openTimetable, type Timetable } from '../schedule/recurrence.ts';
import { parseSchedule } from '../schedule/schedule.ts';
import type { Reminder } from '../actor/context.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import type { StoredReminder } from './record.ts';

/** What the machine is sent for one run of a reminder. */
export interface ReminderEvent {
  readonly type: string;
  /** When it was due, epoch milliseconds. */
  readonly scheduledFor: number;
  /** Runs that were left out before it. */
  readonly missed: number;
}

interface Entry {
  stored: StoredReminder;
  timetable: Timetable | undefined;
}

const ID = /^(?!__)[\w.:@/-]{1,128}$/;
/** A clock that goes back by more than this was wrong before: what was given then does not count. */
const WRONG_CLOCK_MS = 25 * 3_600_000;

const malformedId = (id: string): FabricError =>
  new FabricError(
    'invalid',
    `"${id.slice(0, 80)}" is no id of a reminder: 1 to 128 letters, digits and . _ : @ / - are.`,
  );

/** The reminders of one hyperty. */
export class Reminders {
  readonly #entries = new Map<string, Entry>();

  /** @param stored what was kept of an earlier life */
  constructor(stored: Readonly<Record<string, StoredReminder>>) {
    for (const [id, reminder] of Object.entries(stored)) {
      this.#entries.set(id, { stored: reminder, timetable: undefined });
    }
  }

  /** The next run of all, epoch milliseconds. */
  get nextMs(): number | undefined {
    const times = [...this.#entries.values()].flatMap(({ stored }) => stored.nextMs ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** What is to be kept. */
  get stored(): Readonly<Record<string, StoredReminder>> {
    return Object.fromEntries([...this.#entries].map(([id, { stored }]) => [id, stored]));
  }

  /** Sets or removes one. @throws FabricError `invalid` when its schedule cannot be read */
  set(id: string, reminder: Reminder | undefined, now: number): void {
    if (!ID.test(id)) throw malformedId(id);
    this.#entries.delete(id);
    if (!reminder) return;
    const schedule = parseSchedule(reminder.schedule);
    const afterMs = 'at' in schedule ? 0 : now; // one that is set again by its own event is not due again at once
    this.#entries.set(id, { stored: { schedule, event: reminder.event, afterMs }, timetable: undefined });
  }

  /** Gets those ready that have been set or read since. @throws FabricError `invalid` for a rule that cannot be kept */
  async open(now: number): Promise<void> {
    for (const [id, entry] of this.#entries) {
      if (entry.timetable) continue;
      const { schedule, event } = entry.stored;
      const afterMs = believable(entry.stored.afterMs, now);
      entry.timetable = await openTimetable(parseSchedule(schedule));
      const nextMs = entry.timetable.nextAfter(afterMs);
      if (nextMs === undefined) this.#entries.delete(id);
      else entry.stored = { schedule, event, afterMs, nextMs };
    }
  }

  /** Takes the runs that are due. */
  take(now: number): readonly ReminderEvent[] {
    return [...this.#entries].flatMap(([id, entry]) => this.#take(id, entry, now));
  }

  #take(id: string, { stored, timetable }: Entry, now: number): readonly ReminderEvent[] {
    if (!timetable || stored.nextMs === undefined) return [];
    if (believable(stored.afterMs, now) !== stored.afterMs) {
      const nextMs = timetable.nextAfter(now);
      this.#entries.set(id, { stored: { ...stored, afterMs: now, nextMs }, timetable });
      return [];
    }
    if (stored.nextMs > now) return [];
    const { runs, next } = runsDue(timetable, { after: stored.afterMs, now });
    const afterMs = runs.at(-1)?.scheduledFor ?? stored.afterMs;
    if (next === undefined) this.#entries.delete(id);
    else this.#entries.set(id, { stored: { ...stored, afterMs, nextMs: next }, timetable });
    return runs.map(({ scheduledFor, missed }) => ({ ...stored.event, scheduledFor, missed }));
  }
}

/** However far away a reminder is: clocks are set. */
const LONGEST_MS = 3_600_000;

/** Wakes a hyperty in memory for its next reminder. */
export class ReminderTimer {
  readonly #clock: Clock;
  readonly #wake: () => void;
  #timer: Timer;

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** @param dueMs epoch milliseconds; undefined when there is no reminder */
  set(dueMs: number | undefined): void {
    this.clear();
    if (dueMs === undefined) return;
    const inMs = Math.min(LONGEST_MS, Math.max(1, dueMs - this.#clock.now()));
    this.#timer = this.#clock.setTimeout(() => {
      this.#wake();
      this.set(dueMs > this.#clock.now() ? dueMs : undefined);
    }, inMs);
  }

  clear(): void {
    this.#clock.clearTimeout(this.#timer);
  }
}

const believable = (afterMs: number, now: number): number => (afterMs - now > WRONG_CLOCK_MS ? now : afterMs);
