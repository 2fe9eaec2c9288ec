/** Cases of the durable contract: what outlives a process. */
import { expectEqual, expectTrue } from '../expectation.ts';
import { durableCase, type Company, type DurableCase, type Process } from './durable-case.ts';
import type { Count } from './party.ts';

const add = (note: string) => ({ type: 'add', amount: 1, note });

async function notesAt(process: Process): Promise<readonly string[]> {
  return ((await process.ask('counter', { type: 'read' })) as Count).notes;
}

async function pay(process: Process, to: string, notes: readonly string[]): Promise<void> {
  for (const note of notes) await process.ask('teller', { type: 'pay', to, note });
}

const endings: readonly {
  readonly name: string;
  readonly end: (process: Process) => Promise<void> | void;
}[] = [
  { name: 'has ended without a word', end: (process) => process.kill() },
  { name: 'has been stopped', end: (process) => process.stop() },
];

/** Ends a process without a word and starts another one as the same device. */
async function restart(company: Company, process: Process): Promise<Process> {
  process.kill();
  return company.start();
}

/** What a process leaves behind. */
export const lifeCases: readonly DurableCase[] = [
  ...endings.map(({ name, end }) =>
    durableCase(`goes on where it stood after its process ${name}`, async ({ company }) => {
      const acme = await company('acme.example');
      const first = await acme.start();
      await first.ask('counter', add('before'));
      await pay(first, acme.at('counter'), ['one', 'two', 'three']);
      await end(first);
      const second = await acme.start();
      await second.ask('counter', add('after'));
      expectEqual(await notesAt(second), ['before', 'one', 'two', 'three', 'after'], 'what it was told');
    }),
  ),
  durableCase('sends what it said again after a restart, and that is handled once', async (stage) => {
    const [acme, partner] = [await stage.company('acme.example'), await stage.company('partner.example')];
    const [first, peer] = [await acme.start(), await partner.start()];
    const to = partner.at('counter');
    await pay(first, to, ['zero']);
    await stage.eventually(() => first.runtime.inspect().outgoing === 0, 'taking over the first payment');
    stage.lose({ from: 'partner', to: 'acme' });
    const notes = ['zero', 'one', 'two', 'three'];
    await pay(first, to, notes.slice(1));
    await stage.eventually(async () => (await notesAt(peer)).length === 4, 'arrival of all payments');
    expectTrue((first.runtime.inspect().outgoing ?? 0) > 0, 'it knows what it cannot know');
    first.kill();
    stage.lose(undefined);
    const second = await acme.start();
    await pay(second, to, ['four']);
    await stage.eventually(async () => (await notesAt(peer)).length > 4, 'arrival of the last payment');
    await stage.eventually(() => second.runtime.inspect().outgoing === 0, 'taking over all payments');
    expectEqual(await notesAt(peer), [...notes, 'four'], 'what the partner was told');
  }),
  durableCase('takes the answer to its question after a restart, and has asked once', async (stage) => {
    const [acme, partner] = [await stage.company('acme.example'), await stage.company('partner.example')];
    const [first, peer] = [await acme.start(), await partner.start()];
    await pay(first, partner.at('counter'), ['zero']);
    await stage.eventually(() => first.runtime.inspect().outgoing === 0, 'taking over the first payment');
    stage.lose({ from: 'partner', to: 'acme' });
    first.ask('buyer', { type: 'buy', shop: partner.at('counter') }).catch(() => undefined);
    await stage.eventually(async () => (await notesAt(peer)).length === 2, 'arrival of the question');
    first.kill();
    stage.lose(undefined);
    const second = await acme.start();
    const status = async (): Promise<{ answers: number[] }> =>
      (await second.ask('buyer', { type: 'status' })) as { answers: number[] };
    await stage.eventually(async () => (await status()).answers.length > 0, 'arrival of the answer');
    expectEqual((await status()).answers, [2], 'answers');
    expectEqual(await notesAt(peer), ['zero', 'buyer'], 'what the partner was asked');
  }),
  durableCase(
    'begins an effect that was cut off again with its key, and repeats none that was kept',
    async (stage) => {
      const acme = await stage.company('acme.example');
      const { outside, eventually } = stage;
      const held = Promise.withResolvers<undefined>();
      outside.hold = held.promise;
      const first = await acme.start();
      first.ask('buyer', { type: 'buy', shop: acme.at('counter') }).catch(() => undefined);
      await eventually(() => outside.deliveries.length === 1, 'the effect');
      outside.hold = undefined;
      const second = await restart(acme, first);
      await eventually(() => outside.deliveries.length === 2, 'the effect, again');
      held.resolve(undefined);
      const [key] = outside.deliveries.map((delivery) => delivery.key);
      const delivered = async (process: Process): Promise<unknown> =>
        ((await process.ask('buyer', { type: 'status' })) as { delivered: unknown }).delivered;
      await eventually(async () => JSON.stringify(await delivered(second)) !== '[]', 'the end of the effect');
      const third = await restart(acme, second);
      expectEqual(await delivered(third), [key], 'results');
      const [once, again] = [
        { key, isRetry: false },
        { key, isRetry: true },
      ];
      expectEqual(outside.deliveries, [once, again], 'effects that were begun');
    },
  ),
];
