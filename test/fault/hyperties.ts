/**
 * The durable hyperties of the fault harness. A courier tells numbers 1, 2, 3 … to tallies, in portions, and records a step
 * with the world outside after some of them. A tally checks that the numbers of each courier come without a gap, in
 * order and once, and records a stamp after every so many.
 */
import { defineHyperty, effect, reply, tell, type Accepted } from '@hyperty/runtime';
import { assign, setup } from 'xstate';
import * as z from 'zod';

/** Messages of a tally for each of its stamps. */
const STAMP_EVERY = 50;
/** Portions of a courier for each of its recorded steps. */
const RECORD_EVERY = 4;
/** Wrong numbers that a tally remembers. */
const MAX_WRONG = 5;

/** What a courier is told to do. */
const loadSchema = z.object({
  /** Tallies: addresses. */
  targets: z.array(z.string()),
  /** Numbers for each of them: 1 to `count`. */
  count: z.number(),
  /** Numbers for each of them at a time. */
  portion: z.number(),
  /** Rest between portions. */
  pauseMs: z.number(),
});

const courierStateSchema = z.object({
  state: z.string(),
  /** The last number that was told. */
  last: z.number(),
  count: z.number(),
  /** Steps whose recording is kept. */
  steps: z.number(),
});

const streamSchema = z.object({ last: z.number(), count: z.number(), wrong: z.array(z.string()) });

const tallyStateSchema = z.object({
  state: z.string(),
  total: z.number(),
  /** Stamps whose recording is kept. */
  stamps: z.number(),
  /** What came from each courier. */
  streams: z.record(z.string(), streamSchema),
});

/** What a courier is told to do. */
export type Load = z.infer<typeof loadSchema>;
/** How far a courier has come. */
export type CourierState = z.infer<typeof courierStateSchema>;
/** What a tally has counted. */
export type TallyState = z.infer<typeof tallyStateSchema>;

/** Records one thing with the world outside, once for each key. */
export type Recording = (by: string, key: string) => Promise<void>;

type Stream = z.infer<typeof streamSchema>;

function heard(stream: Stream | undefined, number: number): Stream {
  const { last, count, wrong } = stream ?? { last: 0, count: 0, wrong: [] };
  const isRight = number === last + 1;
  const said = isRight || wrong.length >= MAX_WRONG ? wrong : [...wrong, `${number} after ${last}`];
  return { last: number, count: count + 1, wrong: said };
}

/** Makes the definition of tallies. */
export function createTally(record: Recording) {
  const accepts = { add: z.object({ courier: z.string(), number: z.number() }), read: z.object({}) };
  return defineHyperty({
    descriptor: { name: 'tally', version: '1.0.0' },
    accepts,
    emits: { counted: tallyStateSchema },
    durable: { version: 1 },
    machine: setup({
      types: {
        context: {} as Omit<TallyState, 'state'> & { name: string },
        events: {} as Accepted<typeof accepts>,
        input: {} as { name: string },
      },
      actors: { record: effect(({ input, key }: { input: string; key: string }) => record(input, key)) },
    }).createMachine({
      context: ({ input: { name } }) => ({ name, total: 0, stamps: 0, streams: {} }),
      initial: 'counting',
      on: {
        add: {
          actions: assign(({ context: { streams, total }, event: { courier, number } }) => ({
            total: total + 1,
            streams: { ...streams, [courier]: heard(streams[courier], number) },
          })),
        },
      },
      states: {
        counting: {
          on: { read: { actions: reply(({ context }) => ({ type: 'counted', state: 'counting', ...context })) } }, // prettier-ignore
          always: { guard: ({ context }) => stampsDue(context.total) > context.stamps, target: 'stamping' },
        },
        stamping: {
          on: { read: { actions: reply(({ context }) => ({ type: 'counted', state: 'stamping', ...context })) } }, // prettier-ignore
          invoke: {
            src: 'record',
            input: ({ context }) => context.name,
            onDone: {
              target: 'counting',
              actions: assign({ stamps: ({ context }) => context.stamps + 1 }),
            },
          },
        },
      },
    }),
  });
}

/** Stamps of a tally that has heard so many messages. */
export const stampsDue = (total: number): number => Math.floor(total / STAMP_EVERY);

type CourierContext = Load & { name: string; last: number; portions: number; steps: number };

/** Makes the definition of couriers. */
export function createCourier(record: Recording) {
  const tally = createTally(record);
  const accepts = { start: loadSchema, read: z.object({}) };
  const told = (state: string) =>
    reply(({ context: { last, count, steps } }: { context: CourierContext }) => ({ type: 'is', state, last, count, steps })); // prettier-ignore
  const reads = (state: string) => ({ read: { actions: told(state) }, start: { actions: told(state) } });
  return defineHyperty({
    descriptor: { name: 'courier', version: '1.0.0' },
    accepts,
    emits: { is: courierStateSchema },
    durable: { version: 1 },
    machine: setup({
      types: {
        context: {} as CourierContext,
        events: {} as Accepted<typeof accepts>,
        input: {} as { name: string },
      },
      actors: { record: effect(({ input, key }: { input: string; key: string }) => record(input, key)) },
      delays: { pause: ({ context }) => context.pauseMs },
    }).createMachine({
      context: ({ input: { name } }) => ({ name, targets: [], count: 0, portion: 0, pauseMs: 0, last: 0, portions: 0, steps: 0 }), // prettier-ignore
      initial: 'idle',
      states: {
        idle: {
          on: {
            read: { actions: told('idle') },
            start: {
              target: 'resting',
              actions: [
                assign(({ event: { targets, count, portion, pauseMs } }) => ({ targets, count, portion, pauseMs })), // prettier-ignore
                told('resting'),
              ],
            },
          },
        },
        resting: { on: reads('resting'), after: { pause: 'telling' } },
        telling: {
          entry: [
            (args) => {
              const { name: courier, last, targets } = args.context;
              for (let number = last + 1; number <= endOf(args.context); number += 1)
                for (const to of targets) tell(tally, { to, event: { type: 'add', courier, number } })(args);
            },
            assign({
              last: ({ context }) => endOf(context),
              portions: ({ context }) => context.portions + 1,
            }),
          ],
          always: [
            { guard: ({ context: { portions } }) => portions % RECORD_EVERY === 0, target: 'recording' },
            { guard: ({ context: { last, count } }) => last >= count, target: 'done' },
            { target: 'resting' },
          ],
        },
        recording: {
          on: reads('recording'),
          invoke: {
            src: 'record',
            input: ({ context }) => context.name,
            onDone: [
              { guard: ({ context: { last, count } }) => last >= count, target: 'done', actions: assign({ steps: ({ context }) => context.steps + 1 }) }, // prettier-ignore
              { target: 'resting', actions: assign({ steps: ({ context }) => context.steps + 1 }) },
            ],
          },
        },
        done: { on: reads('done') },
      },
    }),
  });
}

const endOf = ({ last, portion, count }: CourierContext): number => Math.min(count, last + portion);

/** Steps that a courier has recorded once it is done. */
export const stepsOf = ({ count, portion }: Pick<Load, 'count' | 'portion'>): number =>
  Math.floor(Math.ceil(count / portion) / RECORD_EVERY);
