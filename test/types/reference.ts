/** What references, questions and actor logic take and give. */
import { ask, remote, type Parsed, type Runtime } from '@hyperty/runtime';
import { assign, setup } from 'xstate';
import { doubler, type Same } from './doubler.ts';

const peer = doubler.at('hyperty://partner.example/bob/doubler');

/** A reference takes the events that the hyperty accepts, and shows what it exposes. */
export function references(runtime: Runtime): void {
  const reference = runtime.remote(peer);
  reference.send({ type: 'double', amount: 1 });
  reference.send({ type: 'double', amount: 1, unit: 'USD' });
  reference.send({ type: 'reset' });
  // @ts-expect-error: it accepts no such event
  reference.send({ type: 'triple', amount: 1 });
  // @ts-expect-error: the amount is missing
  reference.send({ type: 'double' });
  // @ts-expect-error: the amount is a number
  reference.send({ type: 'double', amount: '1' });
  // @ts-expect-error: what it emits it does not accept
  reference.send({ type: 'doubled', amount: 1 });

  reference.subscribe(({ context }) => context?.total.toFixed(2));
  // @ts-expect-error: it does not expose that
  reference.subscribe(({ context }) => String(context?.secret));
  reference.on('doubled', ({ amount }) => amount.toFixed(2));
  // @ts-expect-error: it emits no such event
  reference.on('tripled', () => undefined);
}

/** An answer is one of the events that the hyperty emits; a bare address answers unknown. */
export async function questions(runtime: Runtime): Promise<unknown> {
  const answer = await runtime.ask(peer, { type: 'double', amount: 1 });
  if (answer.type === 'doubled') answer.amount.toFixed(2);
  else answer.reason.toUpperCase();
  // @ts-expect-error: not every answer has an amount
  String(answer.amount);
  // @ts-expect-error: it accepts no such event
  await runtime.ask(peer, { type: 'triple' });
  // @ts-expect-error: the amount is a number
  await runtime.ask(peer, { type: 'double', amount: 'one' });

  const untyped = await runtime.ask('hyperty://partner.example/bob/doubler', { type: 'anything', at: 'all' });
  // @ts-expect-error: an event has a type
  await runtime.ask('hyperty://partner.example/bob/doubler', { at: 'all' });
  return [
    true satisfies Same<typeof answer, Parsed<typeof doubler.emits>>,
    true satisfies Same<typeof untyped, unknown>,
    untyped,
  ];
}

/** As actor logic, both are typed by what they are logic for. */
export const customer = setup({
  types: { context: {} as { readonly total: number; readonly reason: string } },
  actors: { ask: ask(doubler), shop: remote(doubler) },
}).createMachine({
  context: { total: 0, reason: '' },
  invoke: [
    {
      src: 'ask',
      input: { address: peer.address, event: { type: 'double', amount: 1 } },
      onDone: {
        actions: assign({
          reason: ({ event: { output } }) => (output.type === 'refused' ? output.reason : ''),
        }),
      },
    },
    {
      id: 'shop',
      src: 'shop',
      input: { address: peer.address },
      onSnapshot: { actions: assign({ total: ({ event }) => event.snapshot.context?.total ?? 0 }) },
    },
  ],
});

/** Its question is checked as well. */
export const wrong = setup({ actors: { ask: ask(doubler) } }).createMachine({
  // @ts-expect-error: it accepts no such event
  invoke: { src: 'ask', input: { address: peer.address, event: { type: 'triple' } } },
});
