/**
 * Schedules: when something is to run, as plain data that outlives a restart. Here is what they look like and what is
 * refused; `recurrence.ts` finds their occurrences, `due.ts` says which of them are to run now. Nothing in this folder
 * reads a clock or does I/O.
 */
import * as z from 'zod';
import { FabricError } from '../message/error.ts';
import { existsInUtc, MAX_RULE_CHARS, ruleProblem } from './rule-text.ts';

/** The end of the year 9999, in epoch milliseconds: nothing is scheduled for later. */
export const MAX_TIME_MS = 253_402_300_799_999;

const START_WANTED =
  'expected epoch milliseconds, or a local date and time such as 2027-01-31T09:00 (from 1970 on, without offset)';

const LOCAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/;

/**
 * What happens to occurrences that nobody could run when they were due. `run-once`: one run for all of them, as of the
 * latest. `run-all`: each of them, in order. `skip`: none, unless it is late by no more than the grace time.
 */
const missedPolicies = ['run-once', 'run-all', 'skip'] as const;

/** One of the policies for missed occurrences. */
export type MissedPolicy = (typeof missedPolicies)[number];

const missed = z.enum(missedPolicies).default('run-once').describe('what happens to missed occurrences');

const timeMs = z.int().nonnegative().max(MAX_TIME_MS);

const oneShotSchema = z.strictObject({
  at: timeMs.describe('when it runs, in epoch milliseconds'),
  missed,
});

const recurringSchema = z.strictObject({
  rrule: z
    .string()
    .max(MAX_RULE_CHARS)
    .superRefine((text, context) => report(ruleProblem(text), context))
    .describe('RRULE of RFC 5545 §3.3.10, such as FREQ=WEEKLY;BYDAY=MO,WE;BYHOUR=9'),
  timeZone: z
    .string()
    .max(64)
    .refine(isTimeZone, 'expected an IANA time zone such as Europe/Berlin')
    .describe('IANA name of the time zone that the rule is read in'),
  start: z
    .union([timeMs, z.string().refine(isLocalTime, START_WANTED)], START_WANTED)
    .describe('DTSTART: epoch milliseconds, or the local date and time'),
  missed,
});

/** Schema of a schedule; fields that it does not know are refused. */
export const scheduleSchema = z
  .union([oneShotSchema, recurringSchema])
  .meta({ title: 'Schedule', description: 'When something is to run.' });

/** A schedule that runs once. */
export type OneShotSchedule = Readonly<z.output<typeof oneShotSchema>>;

/**
 * A schedule that recurs. `rrule` repeats from `start` on, in local time of `timeZone`. `start` is an occurrence only
 * when it matches the rule; parts of a second are dropped.
 */
export type RecurringSchedule = Readonly<z.output<typeof recurringSchema>>;

/** When something is to run. */
export type Schedule = OneShotSchedule | RecurringSchedule;

/** A schedule as it is written: `missed` may be left out. */
export type ScheduleInput = Readonly<z.input<typeof scheduleSchema>>;

/**
 * Reads a schedule.
 * @throws FabricError `invalid` with `details.field`; the message says what to write there
 */
export function parseSchedule(value: unknown): Schedule {
  const isRecurring = typeof value === 'object' && value !== null && !('at' in value);
  const { data, error } = (isRecurring ? recurringSchema : oneShotSchema).safeParse(value);
  if (data) return data;
  const [issue] = error.issues;
  const field = fieldOf(issue);
  throw new FabricError('invalid', `The schedule cannot be used. ${field}: ${issue?.message ?? 'invalid'}`, {
    details: { field },
  });
}

/** Zod reports a field that it does not know at the object around it. */
function fieldOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'unrecognized_keys') return issue.keys[0] ?? 'schedule';
  return issue?.path.join('.') || 'schedule';
}

function report(problem: string | undefined, context: z.core.$RefinementCtx): void {
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
}

/** Offsets such as `+01:00` are no time zones: they know no daylight saving. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function isLocalTime(text: string): boolean {
  return LOCAL_TIME.test(text) && existsInUtc(text);
}
