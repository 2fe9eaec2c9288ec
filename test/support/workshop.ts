/** A hyperty for tests of hosting: it answers at once, late, in steps or never, and it crashes when told to. */
import { defineHyperty, progress, reply, type Accepted, type EnvelopeHeader } from '@hyperty/runtime';
import { assign, emit, fromPromise, setup } from 'xstate';
import * as z from 'zod';

const accepts = {
  /** Answered with `done`, as often as it was asked since the last start. */
  work: z.object({ item: z.string() }),
  /** Answered with what no schema of ours fits. */
  blunder: z.object({}),
  /** Answered when {@link Oven} is ready. */
  bake: z.object({ item: z.string() }),
  /** Answered in steps. */
  build: z.object({ item: z.string() }),
  /** Never answered. */
  ponder: z.object({}),
  /** Emits `rang`. */
  ring: z.object({ text: z.string() }),
  /** Emits what no schema of ours fits. */
  clang: z.object({}),
  /** Throws. */
  crash: z.object({}),
  /** Finishes. */
  finish: z.object({}),
  /** Closes the counter: `work` is not taken any more. */
  close: z.object({}),
};
const emits = {
  done: z.object({ item: z.string(), count: z.number() }),
  step: z.object({ item: z.string() }),
  rang: z.object({ text: z.string() }),
};

/** What baking waits for. */
export type Oven = (item: string) => Promise<string>;

interface WorkshopContext {
  readonly oven: Oven;
  readonly count: number;
  readonly secret: string;
  readonly request: EnvelopeHeader | undefined;
  readonly item: string;
}

/** The workshop; it shows its count alone. Input: `{ oven }`. */
export const workshop = defineHyperty({
  descriptor: { name: 'workshop', version: '1.0.0' },
  accepts,
  emits,
  machine: setup({
    types: {
      context: {} as WorkshopContext,
      input: {} as { readonly oven: Oven | undefined },
      events: {} as Accepted<typeof accepts>,
      emitted: {} as { readonly type: 'rang'; readonly text: unknown },
      output: {} as { readonly count: number },
    },
    actors: {
      bake: fromPromise<string, { oven: Oven; item: string }>(({ input }) => input.oven(input.item)),
    },
  }).createMachine({
    context: ({ input }) => ({
      oven: input.oven ?? ((item) => Promise.resolve(item)),
      count: 0,
      secret: 'recipe',
      request: undefined,
      item: '',
    }),
    initial: 'open',
    output: ({ context: { count } }) => ({ count }),
    on: {
      ring: { actions: emit(({ event }) => ({ type: 'rang' as const, text: event.text })) },
      clang: { actions: emit({ type: 'rang' as const, text: 7 }) },
      blunder: { actions: reply({ type: 'done', item: 5 }) },
      crash: {
        actions: () => {
          throw new Error('the roof fell in');
        },
      },
      ponder: { actions: () => undefined },
      finish: '.finished',
    },
    states: {
      open: {
        on: {
          close: 'closed',
          work: {
            actions: [
              assign({ count: ({ context }) => context.count + 1 }),
              reply(({ context, event }) => ({ type: 'done', item: event.item, count: context.count })),
              reply({ type: 'done', item: 'a second answer', count: -1 }),
            ],
          },
          build: {
            actions: [
              progress(({ event }) => ({ type: 'step', item: `half a ${event.item}` })),
              progress(({ event }) => ({ type: 'step', item: `nearly a ${event.item}` })),
              reply(({ event }) => ({ type: 'done', item: event.item, count: 1 })),
            ],
          },
          bake: {
            target: 'baking',
            actions: assign({ request: ({ event }) => event.envelope, item: ({ event }) => event.item }),
          },
        },
      },
      baking: {
        invoke: {
          src: 'bake',
          input: ({ context: { oven, item } }) => ({ oven, item }),
          onDone: {
            target: 'open',
            actions: reply(({ event }) => ({ type: 'done', item: event.output, count: 1 }), {
              to: ({ context }) => context.request,
            }),
          },
        },
      },
      closed: {},
      finished: { type: 'final' },
    },
  }),
  expose: ({ context: { count } }) => ({ count }),
});
