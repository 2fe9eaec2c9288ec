/** The durable hyperties that the cases of the contract host. What they do outside the fabric goes into one record. */
import { assign, setup } from 'xstate';
import * as z from 'zod';
import { ask } from '../../actor/ask.ts';
import { effect } from '../../actor/effect.ts';
import { defineHyperty, type Accepted } from '../../actor/hyperty.ts';
import { remind } from '../../actor/remind.ts';
import { reply } from '../../actor/reply.ts';
import { tell } from '../../actor/tell.ts';
import { parseAddress } from '../../message/address.ts';

/** The world outside the fabric, which no death of a process undoes. */
export interface Outside {
  /** Effects that were begun. */
  readonly deliveries: { readonly key: string; readonly isRetry: boolean }[];
  /** Effects do not end before this does. */
  hold: Promise<void> | undefined;
  /** While it is true, counters crash at `trip`. */
  isTrapSet: boolean;
}

const counterAccepts = {
  add: z.object({ amount: z.number(), note: z.string() }),
  read: z.object({}),
  trip: z.object({ note: z.string() }),
};
const counts = { count: z.object({ total: z.number(), notes: z.array(z.string()) }) };

/** What counters say. */
export interface Count {
  readonly total: number;
  /** What it was told, in order. */
  readonly notes: readonly string[];
}

/** Adds up what it is told. */
export const createCounter = (outside: Outside) =>
  defineHyperty({
    descriptor: { name: 'counter', version: '1.0.0' },
    accepts: counterAccepts,
    emits: counts,
    durable: { version: 1 },
    machine: setup({
      types: { context: {} as Count, events: {} as Accepted<typeof counterAccepts> },
      actions: { count: reply(({ context }: { context: Count }) => ({ type: 'count', ...context })) },
    }).createMachine({
      context: { total: 0, notes: [] },
      on: {
        add: {
          actions: [
            assign(({ context: { total, notes }, event: { amount, note } }) => ({
              total: total + amount,
              notes: [...notes, note],
            })),
            'count',
          ],
        },
        read: { actions: 'count' },
        trip: {
          actions: [
            ({ event }) => {
              if (outside.isTrapSet) throw new Error(`tripped at ${event.note}`);
            },
            assign({ notes: ({ context, event }) => [...context.notes, event.note] }),
            'count',
          ],
        },
      },
    }),
  });

const tellerAccepts = { pay: z.object({ to: z.string(), note: z.string() }), status: z.object({}) };
const payment = z.object({ to: z.string(), note: z.string() });

/** What tellers say. */
export interface Payments {
  readonly paid: readonly z.output<typeof payment>[];
}

/** Tells a counter one for each payment that it is asked to make. */
export const teller = defineHyperty({
  descriptor: { name: 'teller', version: '1.0.0' },
  accepts: tellerAccepts,
  emits: { payments: z.object({ paid: z.array(payment) }) },
  durable: { version: 1 },
  machine: setup({
    types: { context: {} as Payments, events: {} as Accepted<typeof tellerAccepts> },
  }).createMachine({
    context: { paid: [] },
    on: {
      pay: {
        actions: [
          assign({ paid: ({ context, event: { to, note } }) => [...context.paid, { to, note }] }),
          tell({ accepts: counterAccepts }, ({ event: { to, note } }) => ({
            to,
            event: { type: 'add', amount: 1, note },
          })),
          reply(({ context }) => ({ type: 'payments', ...context })),
        ],
      },
      status: { actions: reply(({ context }) => ({ type: 'payments', ...context })) },
    },
  }),
});

const buyerAccepts = { buy: z.object({ shop: z.string() }), status: z.object({}) };

const buyerMachine = setup({
  types: {
    context: {} as { shop: string; answers: number[]; delivered: string[] },
    events: {} as Accepted<typeof buyerAccepts>,
  },
  actors: {
    ask: ask({
      at: (address) => ({ address: parseAddress(address), accepts: counterAccepts, emits: counts }),
    }),
    deliver: effect<string>(async ({ key }) => key),
  },
}).createMachine({
  context: { shop: '', answers: [], delivered: [] },
  initial: 'resting',
  on: {
    status: { actions: reply(({ context: { answers, delivered } }) => ({ type: 'is', answers, delivered })) },
  },
  states: {
    resting: { on: { buy: { target: 'asking', actions: assign({ shop: ({ event }) => event.shop }) } } },
    asking: {
      invoke: {
        src: 'ask',
        input: ({ context: { shop: address } }) => ({
          address,
          event: { type: 'add' as const, amount: 1, note: 'buyer' },
        }),
        onDone: {
          target: 'delivering',
          actions: assign({ answers: ({ context, event }) => [...context.answers, event.output.total] }),
        },
      },
    },
    delivering: {
      invoke: {
        src: 'deliver',
        onDone: {
          target: 'resting',
          actions: assign({ delivered: ({ context, event }) => [...context.delivered, event.output] }),
        },
      },
    },
  },
});

/** Asks a counter, has what it bought delivered outside, and rests. */
export const createBuyer = (outside: Outside) =>
  defineHyperty({
    descriptor: { name: 'buyer', version: '1.0.0' },
    accepts: buyerAccepts,
    emits: { is: z.object({ answers: z.array(z.number()), delivered: z.array(z.string()) }) },
    durable: { version: 1 },
    machine: buyerMachine.provide({
      actors: {
        deliver: effect(async ({ key, isRetry }) => {
          outside.deliveries.push({ key, isRetry });
          await outside.hold;
          return key;
        }),
      },
    }),
  });

const alarmAccepts = { set: z.object({ afterMs: z.number(), at: z.number() }), rings: z.object({}) };

/** When an alarm has rung, epoch milliseconds. */
export interface Rings {
  readonly after: readonly number[];
  readonly reminded: readonly number[];
}

/** Rings some time after it was set, and is reminded at a moment. */
export const alarm = defineHyperty({
  descriptor: { name: 'alarm', version: '1.0.0' },
  accepts: alarmAccepts,
  emits: { rung: z.object({ after: z.array(z.number()), reminded: z.array(z.number()) }) },
  durable: { version: 1 },
  expose: ({ context: { after, reminded } }) => ({ after, reminded }),
  machine: setup({
    types: {
      context: {} as Rings & { readonly afterMs: number },
      events: {} as Accepted<typeof alarmAccepts> | { type: 'reminder'; scheduledFor: number },
    },
    delays: { given: ({ context }) => context.afterMs },
    actions: {
      ring: reply(({ context: { after, reminded } }: { context: Rings }) => ({
        type: 'rung',
        after,
        reminded,
      })),
    },
  }).createMachine({
    context: { afterMs: 0, after: [], reminded: [] },
    initial: 'quiet',
    on: {
      rings: { actions: 'ring' },
      reminder: {
        actions: assign({ reminded: ({ context, event }) => [...context.reminded, event.scheduledFor] }),
      },
    },
    states: {
      quiet: {
        on: {
          set: {
            target: 'waiting',
            actions: [
              assign({ afterMs: ({ event }) => event.afterMs }),
              remind(({ event: { at } }) => ({
                id: 'reminder',
                schedule: { at },
                event: { type: 'reminder' },
              })),
              'ring',
            ],
          },
        },
      },
      waiting: {
        after: {
          given: {
            target: 'quiet',
            actions: assign({ after: ({ context }) => [...context.after, Date.now()] }),
          },
        },
      },
    },
  }),
});
