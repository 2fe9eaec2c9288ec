/** Action with which a hyperty sends an event to another one, without following it. */
import { parseAddress, type Address } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { fabricOf, type AnySystem } from './context.ts';
import { parseEvent, type EventSchemas, type HypertyDefinition, type Sent } from './hyperty.ts';

/** Who is told what. */
export interface Telling<A extends EventSchemas> {
  readonly to: string;
  readonly event: Sent<A>;
}

interface ActionArgs<C, V> {
  readonly context: C;
  readonly event: V;
  readonly system: AnySystem;
}

/**
 * Action that sends an event to a hyperty anywhere. From a durable hyperty to a durable one it arrives exactly once, in the
 * order in which it was sent, whatever dies in between.
 *
 * @example
 * ```ts
 * import { defineHyperty, tell } from '@hyperty/runtime';
 * import { createMachine, setup } from 'xstate';
 * import * as z from 'zod';
 *
 * const tally = defineHyperty({
 *   descriptor: { name: 'tally', version: '1.0.0' },
 *   accepts: { add: z.object({ amount: z.number() }) },
 *   emits: {},
 *   machine: createMachine({}),
 * });
 * export const shop = setup({ types: { events: {} as { type: 'sell'; price: number } } }).createMachine({
 *   on: {
 *     sell: {
 *       actions: tell(tally, ({ event }) => ({
 *         to: 'hyperty://partner.example/bob/tally',
 *         event: { type: 'add', amount: event.price },
 *       })),
 *     },
 *   },
 * });
 * ```
 */
export function tell<A extends EventSchemas, C, V>(
  definition: Pick<HypertyDefinition<A>, 'accepts'>,
  telling: Telling<A> | ((args: { context: C; event: V }) => Telling<A>),
) {
  return ({ context, event, system }: ActionArgs<C, V>): void => {
    const { to, event: told } = typeof telling === 'function' ? telling({ context, event }) : telling;
    send(system, { to: parseAddress(to), body: told, accepts: definition.accepts });
  };
}

/** Sends an event on its way; one that the hyperty would not accept is a dead letter here already. */
export function send(
  system: AnySystem,
  { to, body, accepts }: { to: Address; body: unknown; accepts: EventSchemas },
): void {
  const fabric = fabricOf(system);
  try {
    fabric.post({ to, type: 'event', body: parseEvent(accepts, body, `Event to ${to}`) });
  } catch (caught) {
    const { address: from, bus } = fabric;
    bus.deadLetters.add({ id: bus.ids.next(), from, to, type: 'event', body }, FabricError.from(caught));
  }
}
