/** Durable hyperties that keep books: what each says it has done can be compared with what the others have heard. */
import { ask, defineHyperty, effect, FabricError, reply, tell, type Accepted } from '@hyperty/runtime';
import { assign, setup } from 'xstate';
import * as z from 'zod';

/** How often each trap still crashes whoever steps on it. */
export const traps = new Map<string, number>();

function spring(trap: string | undefined): void {
  const left = trap === undefined ? 0 : (traps.get(trap) ?? 0);
  if (trap === undefined || left <= 0) return;
  traps.set(trap, left - 1);
  throw new Error(`trap ${trap}`);
}

const ticket = z.object({ from: z.string(), number: z.number() });
const totals = { total: z.object({ total: z.number() }) };
const ledgerAccepts = {
  add: z.object({ amount: z.number(), ticket }),
  trip: z.object({ trap: z.string() }),
};

/** What a ledger keeps. */
export interface Books {
  readonly total: number;
  /** Numbers by sender, as they came. */
  readonly tickets: Readonly<Record<string, readonly number[]>>;
}

/** Adds up, and keeps the numbers that it got from each sender. */
export const ledger = defineHyperty({
  descriptor: { name: 'ledger', version: '1.0.0' },
  accepts: ledgerAccepts,
  emits: totals,
  durable: { version: 1 },
  machine: setup({
    types: { context: {} as Books, events: {} as Accepted<typeof ledgerAccepts> },
  }).createMachine({
    context: { total: 0, tickets: {} },
    on: {
      add: {
        actions: [
          assign({
            total: ({ context, event }) => context.total + event.amount,
            tickets: ({ context: { tickets }, event: { ticket: { from, number } } }) => ({
              ...tickets,
              [from]: [...(tickets[from] ?? []), number],
            }), // prettier-ignore
          }),
          reply(({ context }) => ({ type: 'total', total: context.total })),
        ],
      },
      trip: {
        actions: [
          ({ event }) => spring(event.trap),
          reply(({ context }) => ({ type: 'total', total: context.total })),
        ],
      },
    },
  }),
});

const payerAccepts = {
  pay: z.object({ amount: z.number(), to: z.string(), order: z.number(), me: z.string(), trap: z.string() }),
};

/** What a payer keeps. */
export interface Payments {
  readonly paid: Readonly<Record<string, number>>;
  readonly sent: Readonly<Record<string, number>>;
  /** Orders carried out. */
  readonly orders: readonly number[];
}

/** Tells a ledger what it was asked to pay; counts how much and how often that was, for each ledger. */
export const payer = defineHyperty({
  descriptor: { name: 'payer', version: '1.0.0' },
  accepts: payerAccepts,
  emits: totals,
  durable: { version: 1 },
  machine: setup({
    types: { context: {} as Payments, events: {} as Accepted<typeof payerAccepts> },
  }).createMachine({
    context: { paid: {}, sent: {}, orders: [] },
    on: {
      pay: {
        actions: [
          assign(({ context: { paid, sent, orders }, event: { to, amount, order } }) => ({
            paid: { ...paid, [to]: (paid[to] ?? 0) + amount },
            sent: { ...sent, [to]: (sent[to] ?? 0) + 1 },
            orders: [...orders, order],
          })),
          tell(ledger, ({ context, event: { to, amount, me } }) => ({
            to,
            event: { type: 'add', amount, ticket: { from: me, number: context.sent[to] ?? 0 } },
          })),
          reply(({ context, event }) => ({ type: 'total', total: context.paid[event.to] ?? 0 })),
          ({ event }) => spring(event.trap),
        ],
      },
    },
  }),
});

/** What the outside world has seen of deliveries. */
export const outside: { readonly key: string; readonly isRetry: boolean }[] = [];
/** Holds deliveries back. */
export const hold: { until: Promise<void> | undefined } = { until: undefined };

const shopperAccepts = {
  buy: z.object({ shop: z.string(), me: z.string(), timeoutMs: z.number() }),
};

/** What a shopper keeps. */
export interface Purchases {
  readonly shop: string;
  readonly me: string;
  readonly timeoutMs: number;
  readonly asked: Readonly<Record<string, number>>;
  readonly answered: readonly { readonly shop: string; readonly number: number; readonly total: number }[];
  readonly failed: readonly { readonly shop: string; readonly number: number; readonly code: string }[];
  readonly bought: number;
}

/** Asks a ledger to add one, has what it bought delivered, and rests. */
export const shopper = defineHyperty({
  descriptor: { name: 'shopper', version: '1.0.0' },
  accepts: shopperAccepts,
  emits: totals,
  durable: { version: 1 },
  machine: setup({
    types: { context: {} as Purchases, events: {} as Accepted<typeof shopperAccepts> },
    actors: {
      ask: ask(ledger),
      deliver: effect(async ({ key, isRetry }: { key: string; isRetry: boolean }) => {
        outside.push({ key, isRetry });
        await hold.until;
        return key;
      }),
    },
  }).createMachine({
    context: { shop: '', me: '', timeoutMs: 0, asked: {}, answered: [], failed: [], bought: 0 },
    initial: 'resting',
    states: {
      resting: {
        on: {
          buy: {
            target: 'asking',
            actions: assign(({ context: { asked }, event: { shop, me, timeoutMs } }) => ({
              ...{ shop, me, timeoutMs },
              asked: { ...asked, [shop]: (asked[shop] ?? 0) + 1 },
            })),
          },
        },
      },
      asking: {
        invoke: {
          src: 'ask',
          input: ({ context: { shop, me, timeoutMs, asked } }) => ({
            address: shop,
            event: { type: 'add' as const, amount: 1, ticket: { from: me, number: asked[shop] ?? 0 } },
            timeoutMs,
          }),
          onDone: {
            target: 'delivering',
            actions: assign(({ context: { answered, shop, asked }, event }) => ({
              answered: [...answered, { shop, number: asked[shop] ?? 0, total: event.output.total }],
            })),
          },
          onError: {
            target: 'resting',
            actions: assign(({ context: { failed, shop, asked }, event }) => ({
              failed: [
                ...failed,
                { shop, number: asked[shop] ?? 0, code: FabricError.from(event.error).code },
              ],
            })),
          },
        },
      },
      delivering: {
        invoke: {
          src: 'deliver',
          onDone: { target: 'resting', actions: assign({ bought: ({ context }) => context.bought + 1 }) },
          onError: 'refused',
        },
      },
      refused: {},
    },
  }),
});
