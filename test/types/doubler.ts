/** The hyperty of the type tests. Files of this folder are compiled, never run: what must not compile says so. */
import { defineHyperty, reply, type Accepted } from '@hyperty/runtime';
import { setup } from 'xstate';
import * as z from 'zod';

const accepts = {
  double: z.object({ amount: z.number(), unit: z.string().default('EUR') }),
  reset: z.object({}),
};
const emits = { doubled: z.object({ amount: z.number() }), refused: z.object({ reason: z.string() }) };

const machine = setup({
  types: { context: {} as { readonly total: number }, events: {} as Accepted<typeof accepts> },
}).createMachine({
  context: { total: 0 },
  on: { double: { actions: reply(({ event }) => ({ type: 'doubled', amount: event.amount * 2 })) } },
});

/** Doubles amounts; shows its total. */
export const doubler = defineHyperty({
  descriptor: { name: 'doubler', version: '1.0.0' },
  accepts,
  emits,
  machine,
  expose: ({ context }) => ({ total: context.total }),
});

/** `any` fits everything, so it must not pass for anything. */
type IsAny<A> = 0 extends 1 & A ? true : false;

/** `true` when each type fits the other and neither is `any`. */
export type Same<A, B> = true extends IsAny<A> | IsAny<B> ? false : [A, B] extends [B, A] ? true : false;

/** Compiles for `true` alone. */
export type Holds<T extends true> = T;
