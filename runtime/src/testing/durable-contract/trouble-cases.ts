/** Cases of the durable contract: bad messages, bad days of the store, and other versions. */
import { assign, setup } from 'xstate';
import * as z from 'zod';
import { defineHyperty, type Accepted, type Durability } from '../../actor/hyperty.ts';
import { reply } from '../../actor/reply.ts';
import { expectEqual, expectRefusal, expectTrue } from '../expectation.ts';
import { sleep } from '../waiting.ts';
import { durableCase, type DurableCase, type DurableStage, type Process } from './durable-case.ts';
import type { Trouble } from './mortal-store.ts';
import type { Count } from './party.ts';

const TROUBLE_MS = 500;

const count = async (process: Process): Promise<Count> =>
  (await process.ask('counter', { type: 'read' })) as Count;

/** What bad messages and bad days do no harm to. */
export const troubleCases: readonly DurableCase[] = [
  durableCase('parks a message at which it crashes, keeps it, and handles or drops it when told', poison),
  ...(['refused', 'unknown'] as const).map((trouble) =>
    durableCase(
      trouble === 'refused'
        ? 'loses nothing and repeats nothing while the store takes nothing'
        : 'loses nothing and repeats nothing while the store does not say what it took',
      (stage) => badDay(stage, trouble),
    ),
  ),
  durableCase('goes on from what an earlier version has kept, by its migration', async ({ company }) => {
    const acme = await company('acme.example');
    const euros = sum({ version: 1 }, 'euros');
    const first = await acme.start({ host: (runtime) => void runtime.host(euros) });
    await first.ask('sum', { type: 'add', amount: 2 });
    await first.stop();
    const cents = sum({ version: 2, migrations: { 1: toCents } }, 'cents');
    const second = await acme.start({ host: (runtime) => void runtime.host(cents) });
    const outcome = await second.ask('sum', { type: 'add', amount: 5 });
    expectEqual(outcome, { type: 'is', amount: 205, unit: 'cents' }, 'the sum');
  }),
];

async function poison({ company, outside, eventually }: DurableStage): Promise<void> {
  const acme = await company('acme.example');
  const first = await acme.start();
  outside.isTrapSet = true;
  for (const note of ['bad', 'worse'])
    await expectRefusal(first.ask('counter', { type: 'trip', note }), ['crashed'], note);
  await first.ask('counter', { type: 'add', amount: 1, note: 'good' });
  await first.stop();
  const second = await acme.start();
  const parked = await second.runtime.parked();
  expectEqual(
    parked.map(({ address, error: { message } }) => [address, message]),
    ['bad', 'worse'].map((note) => [acme.at('counter'), `tripped at ${note}`]),
    'what is parked',
  );
  outside.isTrapSet = false;
  const [bad, worse] = parked;
  if (bad) await second.runtime.unpark(bad, 'retry');
  if (worse) await second.runtime.unpark(worse, 'drop');
  await eventually(async () => (await count(second)).notes.length > 1, 'handling it again');
  expectEqual((await count(second)).notes, ['good', 'bad'], 'what was handled');
  expectEqual(await second.runtime.parked(), [], 'what is parked in the end');
}

/** Both sides of a payment have a store that is in trouble, while an effect ends and an answer is on its way. */
async function badDay({ company, outside, eventually }: DurableStage, trouble: Trouble): Promise<void> {
  const [acme, partner] = [await company('acme.example'), await company('partner.example')];
  const [process, peer] = [await acme.start(), await partner.start()];
  const held = Promise.withResolvers<undefined>();
  outside.hold = held.promise;
  process.ask('buyer', { type: 'buy', shop: partner.at('counter') }).catch(() => undefined);
  await eventually(() => outside.deliveries.length === 1, 'the effect');
  const pay = (note: string) => process.ask('teller', { type: 'pay', to: partner.at('counter'), note });
  peer.store.trouble(trouble);
  await pay('one');
  process.store.trouble(trouble);
  held.resolve(undefined);
  const isTaken = succeeds(pay('two')); // else it was told so
  await sleep(TROUBLE_MS);
  process.store.trouble(undefined);
  peer.store.trouble(undefined);
  const notes = ['buyer', 'one', ...((await isTaken) ? ['two'] : []), 'three'];
  await eventually(() => succeeds(pay('three')), 'a store that takes something');
  const hasAll = async (): Promise<boolean> => (await count(peer)).total >= notes.length;
  await eventually(() => succeeds(hasAll()), 'arrival of all payments');
  await eventually(() => process.runtime.inspect().outgoing === 0, 'taking over all payments');
  expectEqual((await count(peer)).notes, notes, 'what the partner was told');
  const { delivered } = (await process.ask('buyer', { type: 'status' })) as { delivered: unknown[] };
  expectEqual([delivered.length, outside.deliveries.length], [1, 1], 'effects that have ended, and begun');
  expectTrue(process.runtime.inspect().deadLetters === 0, 'a message has become a dead letter');
}

/** False when it is refused, or when it says so. */
const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    (outcome) => outcome !== false,
    () => false,
  );

const accepts = { add: z.object({ amount: z.number() }) };

interface Sum {
  readonly amount: number;
  readonly unit: string;
}

/** A sum in the unit of its version. */
const sum = (durable: Durability, unit: string) =>
  defineHyperty({
    descriptor: { name: 'sum', version: '1.0.0' },
    accepts,
    emits: { is: z.object({ amount: z.number(), unit: z.string() }) },
    durable,
    machine: setup({
      types: { context: {} as Sum, events: {} as Accepted<typeof accepts> },
    }).createMachine({
      context: { amount: 0, unit },
      on: {
        add: {
          actions: [
            assign({ amount: ({ context, event }) => context.amount + event.amount }),
            reply(({ context }) => ({ type: 'is', ...context })),
          ],
        },
      },
    }),
  });

const toCents = (snapshot: { readonly context: Sum }) => ({
  ...snapshot,
  context: { amount: snapshot.context.amount * 100, unit: 'cents' },
});
