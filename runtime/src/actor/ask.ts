/** Asking: a request whose answer is one event. As a function, and as actor logic for `invoke`. */
import type { PromiseActorLogic } from 'xstate';
import type { Bus } from '../bus/bus.ts';
import { DEFAULT_TIMEOUT_MS, type RequestOptions } from '../bus/requests.ts';
import { parseAddress, type Address } from '../message/address.ts';
import type { Outcome } from '../message/envelope.ts';
import { timeOfId } from '../message/id.ts';
import {
  parseEvent,
  type EventSchemas,
  type HypertyDefinition,
  type Parsed,
  type Peer,
  type Sent,
} from './hyperty.ts';
import { stepLogic, type StepOutcome } from './step.ts';

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
 * `onError` a FabricError as `event.error`. Stopping the actor withdraws the question. In a durable hyperty question and
 * answer survive a restart: it is asked once and answered once.
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
  return stepLogic<Parsed<E>, AskInput<A>>(({ key: id, isRestored: isAsked, input, fabric, settle }) => {
    const { accepts, emits, address: to } = definition.at(input.address);
    try {
      const body = parseEvent(accepts, input.event, `Question to ${to}`);
      const deadline = Math.ceil(timeOfId(id) + (input.timeoutMs ?? DEFAULT_TIMEOUT_MS));
      return fabric.ask({
        id,
        isAsked,
        to,
        body,
        deadline,
        settle: (outcome) => settle(checked(outcome, emits, to)),
      });
    } catch (error) {
      fabric.turn(() => settle({ kind: 'error', error }));
      return () => undefined;
    }
  });
}

/** The answer, checked against what the peer says that it emits. */
function checked(outcome: Outcome, emits: EventSchemas, address: Address): StepOutcome {
  if (outcome.kind === 'error') return outcome;
  try {
    return { kind: 'value', value: parseEvent(emits, outcome.value, `Answer of ${address}`) };
  } catch (error) {
    return { kind: 'error', error };
  }
}
