/** Actions with which a hyperty answers. */
import type { EnvelopeHeader } from '../message/envelope.ts';
import { fabricOf, type AnySystem } from './context.ts';

/** An event that answers. */
export interface AnswerEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface ActionArgs<C, V> {
  readonly context: C;
  readonly event: V;
  readonly system: AnySystem;
}

type Answer<C, V> = AnswerEvent | ((args: { context: C; event: V }) => AnswerEvent);

/** Chooses which request is answered; by default the one that brought the current event. */
export interface ReplyOptions<C, V> {
  /** The header of an earlier request, kept in the machine's context until it can be answered. */
  readonly to?: (args: { context: C; event: V }) => EnvelopeHeader | undefined;
}

/**
 * Action that answers a request with an event of the hyperty's `emits`. A message that asks for no answer (an `event`)
 * gets none. Answering twice does nothing.
 *
 * @example
 * ```ts
 * import { reply, type Accepted } from '@hyperty/runtime';
 * import { setup } from 'xstate';
 * import * as z from 'zod';
 *
 * const accepts = { greet: z.object({ name: z.string() }) };
 * export const machine = setup({ types: { events: {} as Accepted<typeof accepts> } }).createMachine({
 *   on: { greet: { actions: reply(({ event }) => ({ type: 'greeted', text: `Hello ${event.name}` })) } },
 * });
 * ```
 */
export function reply<C, V extends { readonly type: string }>(
  answer: Answer<C, V>,
  options: ReplyOptions<C, V> = {},
) {
  return answering(answer, options, false);
}

/** Action like {@link reply} that sends a provisional answer: the request stays open for the final one. */
export function progress<C, V extends { readonly type: string }>(
  answer: Answer<C, V>,
  options: ReplyOptions<C, V> = {},
) {
  return answering(answer, options, true);
}

function answering<C, V extends { readonly type: string }>(
  answer: Answer<C, V>,
  { to }: ReplyOptions<C, V>,
  provisional: boolean,
) {
  return ({ context, event, system }: ActionArgs<C, V>): void => {
    const request = to ? to({ context, event }) : (event as { envelope?: EnvelopeHeader }).envelope;
    if (!request) return;
    const body = typeof answer === 'function' ? answer({ context, event }) : answer;
    fabricOf(system).answer(request, body, provisional);
  };
}
