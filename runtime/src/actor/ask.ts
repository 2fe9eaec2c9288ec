/** Asking: a request whose answer is one event. As a function, and as actor logic for `invoke`. */
import { fromPromise, type PromiseActorLogic } from 'xstate';
import type { Bus } from '../bus/bus.ts';
import type { RequestOptions } from '../bus/requests.ts';
import { parseAddress, type Address } from '../message/address.ts';
import { fabricOf } from './context.ts';
import {
  parseEvent,
  type EventSchemas,
  type HypertyDefinition,
  type Parsed,
  type Peer,
  type Sent,
} from './hyperty.ts';

/** Deadline, cancellation and provisional answers of a question. */
export type AskOptions = Pick<RequestOptions, 'timeoutMs' | 'signal' | 'onProvisional'>;

/** An event for a bare address, whose schema nobody here knows. */
export interface UntypedEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One question: who is asked, who asks, what, and how long. */
export interface Question {
  readonly from: Address;
  readonly to: Peer | string;
  readonly event: UntypedEvent;
  readonly options: AskOptions;
}

/**
 * Sends an `execute` and waits for its answer. With a peer, question and answer are checked against its schemas here too.
 * @throws FabricError as {@link Bus.request}, and `schema`
 */
export async function askPeer(bus: Bus, { from, to, event, options }: Question): Promise<unknown> {
  const peer = typeof to === 'string' ? undefined : to;
  const address = peer ? peer.address : parseAddress(to as string);
  const body = peer ? parseEvent(peer.accepts, event, `Question to ${address}`) : event;
  const answer = await bus.request({ from, to: address, type: 'execute', body }, options);
  return peer ? parseEvent(peer.emits, answer, `Answer of ${address}`) : answer;
}

/** Input of the {@link ask} logic. */
export interface AskInput<A extends EventSchemas> {
  readonly address: string;
  readonly event: Sent<A>;
  readonly timeoutMs?: number;
}

/**
 * Actor logic that asks one question and is done with its answer: `onDone` gets the answer as `event.output`,
 * `onError` a FabricError as `event.error`. Stopping the actor withdraws the question.
 *
 * @example
 * ```ts
 * import { ask, defineHyperty } from '@hyperty/runtime';
 * import { createMachine, setup } from 'xstate';
 * import * as z from 'zod';
 *
 * const greeter = defineHyperty({
 *   descriptor: { name: 'greeter', version: '1.0.0' },
 *   accepts: { greet: z.object({ name: z.string() }) },
 *   emits: { greeted: z.object({ text: z.string() }) },
 *   machine: createMachine({}),
 * });
 * const address = 'hyperty://partner.example/bob/greeter';
 * export const visitor = setup({ actors: { ask: ask(greeter) } }).createMachine({
 *   invoke: {
 *     src: 'ask',
 *     input: { address, event: { type: 'greet', name: 'Alice' }, timeoutMs: 5000 },
 *     onDone: { actions: ({ event }) => console.log(event.output.text) },
 *     onError: { actions: ({ event }) => console.log(event.error) },
 *   },
 * });
 * ```
 */
export function ask<A extends EventSchemas, E extends EventSchemas>(
  definition: Pick<HypertyDefinition<A, E>, 'at'>,
): PromiseActorLogic<Parsed<E>, AskInput<A>> {
  return fromPromise<Parsed<E>, AskInput<A>>(async ({ input, signal, system }) => {
    const { bus, address: from } = fabricOf(system);
    const options = { signal, ...(input.timeoutMs === undefined ? {} : { timeoutMs: input.timeoutMs }) };
    const to = definition.at(input.address);
    return (await askPeer(bus, {
      from,
      to,
      event: input.event,
      options,
    })) as Parsed<E>;
  });
}
