/** Actions with which a durable hyperty asks to be sent events at certain times. */
import { fabricOf, type AnySystem } from './context.ts';
import type { ScheduleInput } from '../schedule/schedule.ts';

/** What a reminder is for, and when. */
export interface ReminderOptions {
  /** Unique within the hyperty; setting another one of the same id replaces it. */
  readonly id: string;
  /** A moment, or a rule of RFC 5545 with a time zone, and what about runs that were missed. */
  readonly schedule: ScheduleInput;
  /** The event; it comes with `scheduledFor` (epoch milliseconds) and `missed` (runs that it stands for besides). */
  readonly event: { readonly type: string; readonly [field: string]: unknown };
}

interface ActionArgs<C, V> {
  readonly context: C;
  readonly event: V;
  readonly system: AnySystem;
}

/**
 * Action that sets a reminder. It lives in the store: it comes after a restart too, and wakes the hyperty when that is not
 * in memory. What is done about runs that nobody was there for is said by `missed`: `run-once` (the default), `run-all`
 * or `skip`.
 *
 * @example
 * ```ts
 * import { remind } from '@hyperty/runtime';
 * import { setup } from 'xstate';
 *
 * const standup = { rrule: 'FREQ=WEEKLY;BYDAY=MO,WE;BYHOUR=9;BYMINUTE=0;BYSECOND=0', timeZone: 'Europe/Berlin', start: '2026-01-05T09:00:00' };
 * export const team = setup({ types: { events: {} as { type: 'standup'; scheduledFor: number; missed: number } } }).createMachine({
 *   entry: remind({ id: 'standup', schedule: standup, event: { type: 'standup' } }),
 *   on: { standup: { actions: ({ event }) => console.log(new Date(event.scheduledFor)) } },
 * });
 * ```
 */
export function remind<C, V>(
  options: ReminderOptions | ((args: { context: C; event: V }) => ReminderOptions),
) {
  return ({ context, event, system }: ActionArgs<C, V>): void => {
    const reminder = typeof options === 'function' ? options({ context, event }) : options;
    reminding(system)(reminder.id, reminder);
  };
}

/** Action that removes a reminder. Does nothing when there is none of this id. */
export function forget<C, V>(id: string | ((args: { context: C; event: V }) => string)) {
  return ({ context, event, system }: ActionArgs<C, V>): void => {
    reminding(system)(typeof id === 'function' ? id({ context, event }) : id, undefined);
  };
}

function reminding(system: AnySystem): NonNullable<ReturnType<typeof fabricOf>['remind']> {
  const fabric = fabricOf(system);
  const { remind: set } = fabric;
  if (!set)
    throw new TypeError(
      `${fabric.address} is not durable; reminders need a durable definition. Use "after" instead.`,
    );
  return set.bind(fabric);
}
