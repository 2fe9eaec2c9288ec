/**
 * A hyperty that outlives its process: it counts what it is told, and goes on counting after a crash, a restart, or a
 * `kill -9`. With the world up: `npx hyperty run examples/durable/counter.ts`
 */
import { defineHyperty, remind, reply, type Accepted } from '@hyperty/runtime';
import { assign, setup } from 'xstate';
import * as z from 'zod';

const accepts = { add: z.object({ amount: z.int() }), read: z.object({}) };
const emits = { total: z.object({ total: z.int(), mornings: z.int() }) };

/** What is counted. All of it is kept, so it is plain data. */
interface Context {
  readonly total: number;
  readonly mornings: number;
}

/** Answers `add` and `read` with the total, and counts the mornings as well, whether it runs then or not. */
export const counter = defineHyperty({
  descriptor: { name: 'counter', version: '1.0.0', description: 'Counts, over restarts too.' },
  accepts,
  emits,
  // One number makes it durable. Raise it when an old context does not fit any more, and say in `migrations` how it is changed.
  durable: { version: 1 },
  machine: setup({
    types: {
      context: {} as Context,
      events: {} as Accepted<typeof accepts> | { readonly type: 'morning'; readonly missed: number },
    },
  }).createMachine({
    context: { total: 0, mornings: 0 },
    // Set once, when it begins; the store keeps it, whatever becomes of this line. What was missed while no process ran
    // comes as one event, of which `missed` says for how many mornings it stands besides its own.
    entry: remind({
      id: 'morning',
      schedule: {
        rrule: 'FREQ=DAILY;BYHOUR=8;BYMINUTE=0;BYSECOND=0',
        timeZone: 'UTC',
        start: '2026-01-01T08:00:00',
      },
      event: { type: 'morning' },
    }),
    on: {
      add: {
        actions: [
          assign({ total: ({ context, event }) => context.total + event.amount }),
          // It leaves once the new total is in the store, never before: who gets an answer can rely on it.
          reply(({ context }) => ({ type: 'total', ...context })),
        ],
      },
      read: { actions: reply(({ context }) => ({ type: 'total', ...context })) },
      morning: {
        actions: assign({ mornings: ({ context, event }) => context.mornings + 1 + event.missed }),
      },
    },
  }),
  expose: ({ context }) => context,
});

export default counter;
