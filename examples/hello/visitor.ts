/**
 * A hyperty that asks another one: `visit` names a greeter anywhere, the visitor asks it, and passes the answer on.
 * A remote hyperty is used like any other XState actor.
 */
import { ask, defineHyperty, reply, type Accepted, type EnvelopeHeader } from '@hyperty/runtime';
import { assign, setup } from 'xstate';
import * as z from 'zod';
import { greeter } from './greeter.ts';

const accepts = { visit: z.object({ greeter: z.string(), name: z.string() }) };
const emits = { visited: z.object({ text: z.string() }), failed: z.object({ reason: z.string() }) };

interface Visit {
  readonly greeter: string;
  readonly name: string;
  /** Who is waiting for the answer. */
  readonly request: EnvelopeHeader;
}

/** Visits one greeter at a time. */
export const visitor = defineHyperty({
  descriptor: { name: 'visitor', version: '1.0.0', description: 'Visits greeters and tells what they said.' },
  accepts,
  emits,
  machine: setup({
    types: { context: {} as { readonly visit: Visit | undefined }, events: {} as Accepted<typeof accepts> },
    actors: { askGreeter: ask(greeter) },
  }).createMachine({
    context: { visit: undefined },
    initial: 'idle',
    states: {
      idle: {
        on: {
          visit: {
            target: 'visiting',
            actions: assign({
              visit: ({ event }) => ({ greeter: event.greeter, name: event.name, request: event.envelope }),
            }),
          },
        },
      },
      visiting: {
        invoke: {
          src: 'askGreeter',
          input: ({ context: { visit } }) => ({
            address: visit?.greeter ?? '',
            event: { type: 'greet', name: visit?.name ?? '' },
          }),
          onDone: {
            target: 'idle',
            actions: reply(({ event }) => ({ type: 'visited', text: event.output.text }), {
              to: ({ context }) => context.visit?.request,
            }),
          },
          onError: {
            target: 'idle',
            actions: reply(({ event }) => ({ type: 'failed', reason: String(event.error) }), {
              to: ({ context }) => context.visit?.request,
            }),
          },
        },
      },
    },
  }),
});

export default visitor;
