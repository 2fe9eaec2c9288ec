/** Durable hyperties for tests, and runtimes that can be killed: a test's own processes, on stores in memory. */
import { ask, createMemoryMedium, defineHyperty, effect, remind, reply, tell, type Accepted, type MemoryMedium, type Runtime, type RuntimeOptions } from '@hyperty/runtime'; // prettier-ignore
import type { TestWorld } from '@hyperty/runtime/testing';
import { assign, setup } from 'xstate';
import * as z from 'zod';
import { createFrailStore, type FrailStore } from './frail-store.ts';

const counterAccepts = {
  add: z.object({ amount: z.number() }),
  read: z.object({}),
  crash: z.object({ when: z.string() }),
};
const totals = { total: z.object({ total: z.number() }) };

/** Counts what it is told, and crashes when it is told to. */
export const counter = defineHyperty({
  descriptor: { name: 'counter', version: '1.0.0' },
  accepts: counterAccepts,
  emits: totals,
  durable: { version: 1 },
  expose: ({ context }) => context,
  machine: setup({
    types: {
      context: {} as { total: number },
      events: {} as Accepted<typeof counterAccepts>,
    },
  }).createMachine({
    context: { total: 0 },
    on: {
      add: {
        actions: [
          assign({ total: ({ context, event }) => context.total + event.amount }),
          reply(({ context }) => ({ type: 'total', total: context.total })),
        ],
      },
      read: { actions: reply(({ context }) => ({ type: 'total', total: context.total })) },
      crash: {
        actions: ({ event }) => {
          if (event.when === 'always' || armed.has(event.when))
            throw new Error(`told to crash: ${event.when}`);
        },
      },
    },
  }),
});

/** Names of crashes that happen now; a test takes one away when the cause is mended. */
export const armed = new Set<string>();

const tellerAccepts = { pay: z.object({ amount: z.number(), to: z.string() }), count: z.object({}) };

/** Tells a counter what it was asked to pay, and counts how much that was. */
export const teller = defineHyperty({
  descriptor: { name: 'teller', version: '1.0.0' },
  accepts: tellerAccepts,
  emits: totals,
  durable: { version: 1 },
  machine: setup({
    types: { context: {} as { paid: number }, events: {} as Accepted<typeof tellerAccepts> },
  }).createMachine({
    context: { paid: 0 },
    on: {
      pay: {
        actions: [
          assign({ paid: ({ context, event }) => context.paid + event.amount }),
          tell(counter, ({ event }) => ({ to: event.to, event: { type: 'add', amount: event.amount } })),
          reply(({ context }) => ({ type: 'total', total: context.paid })),
        ],
      },
      count: { actions: reply(({ context }) => ({ type: 'total', total: context.paid })) },
    },
  }),
});

/** What the outside world has seen of effects: idempotency key and whether it was a second try. */
export const world: { key: string; isRetry: boolean }[] = [];

const buyerAccepts = { buy: z.object({ shop: z.string() }), status: z.object({}) };

/** Asks a counter, then has an effect on the outside world, then rests. */
export const buyer = defineHyperty({
  descriptor: { name: 'buyer', version: '1.0.0' },
  accepts: buyerAccepts,
  emits: { is: z.object({ bought: z.number(), total: z.number() }) },
  durable: { version: 1 },
  machine: setup({
    types: {
      context: {} as { bought: number; total: number; shop: string },
      events: {} as Accepted<typeof buyerAccepts>,
    },
    actors: {
      ask: ask(counter),
      deliver: effect(
        async ({ key, isRetry, signal }: { key: string; isRetry: boolean; signal: AbortSignal }) => {
          world.push({ key, isRetry });
          await hold.until;
          signal.throwIfAborted();
          return key;
        },
      ),
    },
  }).createMachine({
    context: { bought: 0, total: 0, shop: '' },
    initial: 'resting',
    on: {
      status: {
        actions: reply(({ context: { bought, total } }) => ({ type: 'is', bought, total })),
      },
    },
    states: {
      resting: { on: { buy: { target: 'asking', actions: assign({ shop: ({ event }) => event.shop }) } } },
      asking: {
        invoke: {
          src: 'ask',
          input: ({ context }) => ({
            address: context.shop,
            event: { type: 'add' as const, amount: 1 },
            timeoutMs: 600_000,
          }),
          onDone: { target: 'delivering', actions: assign({ total: ({ event }) => event.output.total }) },
          onError: 'refused',
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

/** Holds effects back while a test wants that. */
export const hold: { until: Promise<void> | undefined } = { until: undefined };

const alarmAccepts = { start: z.object({}), rings: z.object({}) };

/** Rings a minute after it was started, and each morning. */
export const alarm = defineHyperty({
  descriptor: { name: 'alarm', version: '1.0.0' },
  accepts: alarmAccepts,
  emits: { rung: z.object({ after: z.number(), mornings: z.array(z.number()), missed: z.number() }) },
  durable: { version: 1 },
  machine: setup({
    types: {
      context: {} as { after: number; mornings: number[]; missed: number },
      events: {} as Accepted<typeof alarmAccepts> | { type: 'morning'; scheduledFor: number; missed: number },
    },
  }).createMachine({
    context: { after: 0, mornings: [], missed: 0 },
    entry: remind({
      id: 'morning',
      schedule: {
        rrule: 'FREQ=DAILY;BYHOUR=8;BYMINUTE=0;BYSECOND=0',
        timeZone: 'UTC',
        start: '2026-01-01T08:00:00',
      },
      event: { type: 'morning' },
    }),
    initial: 'quiet',
    on: {
      rings: { actions: reply(({ context }) => ({ type: 'rung', ...context })) },
      morning: {
        actions: assign({
          mornings: ({ context, event }) => [...context.mornings, event.scheduledFor],
          missed: ({ context, event }) => context.missed + event.missed,
        }),
      },
    },
    states: {
      quiet: { on: { start: 'waiting' } },
      waiting: {
        after: {
          60_000: { target: 'quiet', actions: assign({ after: ({ context }) => context.after + 1 }) },
        },
      },
    },
  }),
});

/** One account whose runtimes are killed and started again on one medium. */
export interface Account {
  readonly medium: MemoryMedium;
  /** Starts a process; `hosting` hosts in it before it starts. */
  start(options?: { durable?: RuntimeOptions['durable'] }): Promise<Life>;
}

/** A process of an account. */
export interface Life {
  readonly runtime: Runtime;
  readonly store: FrailStore;
  /** Ends it without a word. */
  kill(): void;
}

/** Creates an account of a test world. */
export function createAccount(
  testWorld: TestWorld,
  name: string,
  hosting: (runtime: Runtime) => void,
): Account {
  const medium = createMemoryMedium();
  let lives = 0;
  return {
    medium,
    async start({ durable } = {}) {
      lives += 1;
      const onDeath = (): void => testWorld.faults.kill(runtime);
      const store = createFrailStore(medium, { clock: testWorld.clock, onDeath });
      const runtime: Runtime = testWorld.create(name, {
        device: `pc${lives}`,
        store,
        ...(durable ? { durable } : {}),
      });
      hosting(runtime);
      await testWorld.until(runtime.start());
      return { runtime, store, kill: () => store.kill() };
    },
  };
}
