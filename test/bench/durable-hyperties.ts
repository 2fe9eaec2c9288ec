/** The durable hyperties that benchmarks measure, and runtimes for them on SQLite. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, createMemoryHub, createRuntime, defineHyperty, reply, runtimeAddress, systemClock, tell, type Accepted, type DurableSettings, type Runtime, type Store } from '@hyperty/runtime'; // prettier-ignore
import { createSqliteStore } from '@hyperty/runtime/node';
import { assign, setup } from 'xstate';
import * as z from 'zod';

const answererAccepts = { add: z.object({ amount: z.number() }), sum: z.object({}) };

/** Adds up, and says so when it is asked. */
export const answerer = defineHyperty({
  descriptor: { name: 'answerer', version: '1.0.0' },
  accepts: answererAccepts,
  emits: { total: z.object({ total: z.number() }) },
  durable: { version: 1 },
  machine: setup({
    types: { context: {} as { total: number }, events: {} as Accepted<typeof answererAccepts> },
  }).createMachine({
    context: { total: 0 },
    on: {
      add: {
        actions: [
          assign({ total: ({ context, event }) => context.total + event.amount }),
          reply(({ context }) => ({ type: 'total', total: context.total })),
        ],
      },
      sum: { actions: reply(({ context }) => ({ type: 'total', total: context.total })) },
    },
  }),
});

const askerAccepts = { go: z.object({ to: z.string(), times: z.number() }) };

/** Milliseconds that each question of an asker took, from its transition to that of its answer. */
export const questionMs: number[] = [];
let askedAt = 0;

/** Asks an answerer so many times, one after the other. */
export const asker = defineHyperty({
  descriptor: { name: 'asker', version: '1.0.0' },
  accepts: askerAccepts,
  emits: { done: z.object({}) },
  durable: { version: 1 },
  machine: setup({
    types: {
      context: {} as {
        left: number;
        to: string;
        request: Accepted<typeof askerAccepts>['envelope'] | undefined;
      },
      events: {} as Accepted<typeof askerAccepts>,
    },
    actors: { ask: ask(answerer) },
  }).createMachine({
    context: { left: 0, to: '', request: undefined },
    initial: 'resting',
    states: {
      resting: {
        on: {
          go: {
            target: 'asking',
            actions: assign({
              left: ({ event }) => event.times,
              to: ({ event }) => event.to,
              request: ({ event }) => event.envelope,
            }),
          },
        },
      },
      asking: {
        entry: () => {
          askedAt = performance.now();
        },
        invoke: {
          src: 'ask',
          input: ({ context }) => ({ address: context.to, event: { type: 'add' as const, amount: 1 } }),
          onDone: {
            target: 'answered',
            actions: [
              assign({ left: ({ context }) => context.left - 1 }),
              () => {
                questionMs.push(performance.now() - askedAt);
              },
            ],
          },
        },
      },
      answered: {
        always: [
          { guard: ({ context }) => context.left > 0, target: 'asking' },
          { target: 'resting', actions: reply({ type: 'done' }, { to: ({ context }) => context.request }) },
        ],
      },
    },
  }),
});

const playerAccepts = {
  serve: z.object({ to: z.string(), balls: z.number() }),
  ball: z.object({ from: z.string(), left: z.number() }),
};

/** Called when a player has got its last ball. */
export const game: { over: () => void } = { over: () => undefined };

interface PlayerPeer {
  readonly accepts: typeof playerAccepts;
}
const playerPeer: PlayerPeer = { accepts: playerAccepts };

/** Plays a ball back and forth with another player, with nothing but durable messages. */
export const player = defineHyperty({
  descriptor: { name: 'player', version: '1.0.0' },
  accepts: playerAccepts,
  emits: {},
  durable: { version: 1 },
  machine: setup({
    types: {
      context: {} as { name: string; hits: number },
      events: {} as Accepted<typeof playerAccepts>,
      input: {} as { name: string },
    },
  }).createMachine({
    context: ({ input }) => ({ name: input.name, hits: 0 }),
    on: {
      serve: {
        actions: tell(playerPeer, ({ context, event }) => ({
          to: event.to,
          event: { type: 'ball', from: context.name, left: event.balls },
        })),
      },
      ball: [
        {
          guard: ({ event }) => event.left > 0,
          actions: [
            assign({ hits: ({ context }) => context.hits + 1 }),
            tell(playerPeer, ({ context, event }) => ({
              to: event.from,
              event: { type: 'ball', from: context.name, left: event.left - 1 },
            })),
          ],
        },
        {
          actions: () => {
            game.over();
          },
        },
      ],
    },
  }),
});

/** A runtime on a store in a temporary folder. */
export interface DurableBench {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly folder: string;
  /** Stops it and starts another one on the same store. */
  again(settings?: Partial<DurableSettings>): Promise<DurableBench>;
  end(): Promise<void>;
}

/** Starts a runtime that hosts the kinds above. */
export async function startDurable(
  settings: Partial<DurableSettings> = {},
  given?: string,
): Promise<DurableBench> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'hyperty-bench-')));
  const store = await createSqliteStore({ file: join(folder, 'store.db') });
  const { runtime, stop } = await startOn(store, settings);
  return {
    runtime,
    store,
    folder,
    async again(other = {}) {
      await stop();
      return startDurable(other, folder);
    },
    async end() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a runtime on a store; stopping it closes the store. */
export async function startOn(
  store: Store,
  settings: Partial<DurableSettings> = {},
): Promise<{ readonly runtime: Runtime; readonly stop: () => Promise<void> }> {
  const address = runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'BENCH' });
  const protostub = createMemoryHub({ clock: systemClock }).protostub(address);
  const runtime = createRuntime({ protostubs: [protostub], store, durable: settings });
  await runtime.start();
  const stop = async (): Promise<void> => {
    await runtime.stop({ drainMs: 0 });
    await store.close();
  };
  return { runtime, stop };
}
