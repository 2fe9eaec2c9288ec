/** A hyperty that greets whoever asks: the smallest useful one. Host it with `npx hyperty run examples/hello/greeter.ts`. */
import { defineHyperty, reply, type Accepted } from '@hyperty/runtime';
import { assign, setup } from 'xstate';
import * as z from 'zod';

const accepts = { greet: z.object({ name: z.string().min(1).max(100) }) };
const emits = { greeted: z.object({ text: z.string(), count: z.number() }) };

/** Answers `greet` with `greeted`, and lets everybody see how often it has. */
export const greeter = defineHyperty({
  descriptor: { name: 'greeter', version: '1.0.0', description: 'Greets whoever asks.' },
  accepts,
  emits,
  machine: setup({
    types: { context: {} as { count: number }, events: {} as Accepted<typeof accepts> },
  }).createMachine({
    context: { count: 0 },
    on: {
      greet: {
        actions: [
          assign({ count: ({ context }) => context.count + 1 }),
          reply(({ context, event }) => ({
            type: 'greeted',
            text: `Hello ${event.name}!`,
            count: context.count,
          })),
        ],
      },
    },
  }),
  expose: ({ context }) => ({ count: context.count }),
});

export default greeter;
