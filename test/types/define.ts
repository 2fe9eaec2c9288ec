/** What defineHyperty takes and refuses. */
import { defineHyperty, type Accepted } from '@hyperty/runtime';
import { createMachine, setup, type AnyStateMachine } from 'xstate';
import * as z from 'zod';
import { doubler, type Holds, type Same } from './doubler.ts';

const descriptor = { name: 'shop', version: '1.0.0' };
const accepts = { order: z.object({ item: z.string() }), cancel: z.object({}) };

const machineFor = <E extends { readonly type: string }>(_events?: E) =>
  setup({ types: { events: {} as E } }).createMachine({});

/** A machine that takes all accepted events, or any event, fits. */
export const fits = [
  defineHyperty({ descriptor, accepts, emits: {}, machine: machineFor<Accepted<typeof accepts>>() }),
  defineHyperty({ descriptor, accepts, emits: {}, machine: createMachine({}) }),
  defineHyperty({
    descriptor,
    accepts,
    emits: {},
    machine: machineFor<Accepted<typeof accepts> | { readonly type: 'tick' }>(),
  }),
];

defineHyperty({
  descriptor,
  accepts,
  emits: {},
  // @ts-expect-error: it does not take `cancel`
  machine: machineFor<{ readonly type: 'order'; readonly item: string }>(),
});

defineHyperty({
  descriptor,
  accepts,
  emits: {},
  // @ts-expect-error: it takes another `item` than the schema lets in
  machine: machineFor<{ readonly type: 'order'; readonly item: number } | { readonly type: 'cancel' }>(),
});

// @ts-expect-error: a descriptor has a version
defineHyperty({ descriptor: { name: 'shop' }, accepts, emits: {}, machine: createMachine({}) });

// @ts-expect-error: an event's schema is an object
defineHyperty({ descriptor, accepts: { order: z.string() }, emits: {}, machine: createMachine({}) });

defineHyperty({
  descriptor,
  accepts: doubler.accepts,
  emits: doubler.emits,
  machine: doubler.machine,
  expose: ({ context }) => ({
    // @ts-expect-error: the context has no such field
    secret: String(context.secret),
  }),
});

type Incoming = Accepted<typeof doubler.accepts>;
type Double = Extract<Incoming, { type: 'double' }>;

/** A machine gets defaults filled in, and the header of the envelope. */
export type IncomingHolds = [
  Holds<Same<Incoming['type'], 'double' | 'reset'>>,
  Holds<Same<Double['unit'], string>>,
  Holds<Same<Double['envelope']['id'], string>>,
  Holds<typeof doubler.machine extends AnyStateMachine ? true : false>,
];
