/**
 * Whole runtimes on a bad network, driven at random: every question ends once, whoever watches sees in the end what is
 * there, and nothing is left when all have stopped.
 */
import assert from 'node:assert/strict';
import { defineHyperty, FabricError, reply, type Accepted, type Runtime } from '@hyperty/runtime';
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import fc from 'fast-check';
import { assign, setup } from 'xstate';
import * as z from 'zod';

const accepts = { add: z.object({ amount: z.number() }), fail: z.object({}) };
const counter = defineHyperty({
  descriptor: { name: 'counter', version: '1.0.0' },
  accepts,
  emits: { total: z.object({ total: z.number() }) },
  machine: setup({
    types: { events: {} as Accepted<typeof accepts>, context: {} as { readonly total: number } },
  }).createMachine({
    context: { total: 0 },
    on: {
      add: {
        actions: [
          assign({ total: ({ context, event }) => context.total + event.amount }),
          reply(({ context }) => ({ type: 'total', total: context.total })),
        ],
      },
      fail: {
        actions: () => {
          throw new Error('asked to fail');
        },
      },
    },
  }),
  expose: ({ context }) => context.total,
});
const ADDRESS = 'hyperty://partner.example/bob/counter';
/** How a question may end; anything else is a bug. */
const OUTCOMES = ['total', 'crashed', 'closed', 'not-found', 'offline', 'timeout', 'cancelled'];

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      timeoutMs: fc.integer({ min: 1, max: 40_000 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
  },
  fc.record({ kind: fc.constantFrom('cancel' as const, 'fail' as const, 'stop' as const, 'host' as const) }),
  fc.record({ kind: fc.constantFrom('cut' as const, 'partition' as const, 'heal' as const) }),
  fc.record({ kind: fc.constantFrom('watch' as const, 'leave' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type Hosted = ReturnType<typeof hostOn>;
type Ref = ReturnType<typeof watchFrom>;

const hostOn = (runtime: Runtime) => runtime.host(counter);

function watchFrom(runtime: Runtime) {
  const ref = runtime.remote(counter.at(ADDRESS));
  ref.subscribe({ error: () => undefined });
  return ref;
}

/** Alice asks and watches; bob has the counter, more or less. */
class Stage {
  readonly world: TestWorld;
  readonly outcomes: string[][] = [];
  readonly #cancels: AbortController[] = [];
  #alice!: Runtime;
  #bob!: Runtime;
  #hosted: Hosted | undefined;
  readonly #refs: Ref[] = [];

  constructor(seed: number) {
    this.world = createTestWorld({ seed });
  }

  async start(): Promise<void> {
    this.#alice = await this.world.runtime('alice@acme.example');
    this.#bob = await this.world.runtime('bob@partner.example');
    this.world.faults.drop(0.1);
    this.world.faults.duplicate(0.1);
    this.world.faults.delay({ minMs: 1, maxMs: 300 });
  }

  async take(step: Step): Promise<void> {
    const { faults } = this.world;
    if (step.kind === 'wait') await this.world.advance(step.ms);
    else if (step.kind === 'ask') this.#ask(step.timeoutMs);
    else if (step.kind === 'cancel') this.#cancels.pop()?.abort();
    else if (step.kind === 'fail') this.#alice.remote(counter.at(ADDRESS)).send({ type: 'fail' });
    else if (step.kind === 'stop') this.#hosted?.stop();
    else if (step.kind === 'host') this.#host();
    else if (step.kind === 'cut') faults.disconnect(this.#bob);
    else if (step.kind === 'partition') faults.partition('acme.example', 'partner.example');
    else if (step.kind === 'watch') this.#watch();
    else if (step.kind === 'leave') this.#refs.pop()?.stop();
    else this.#heal();
  }

  /** The network is well again and the counter is there: what do watchers see after the longest wait that there is? */
  async end(): Promise<void> {
    this.#heal();
    this.#host();
    this.#watch();
    await this.world.advance(700_000);
    this.#ask(30_000);
    await this.world.advance(60_000);
    const shown = this.#hosted?.actor.getSnapshot() as { readonly context: { readonly total: number } };
    for (const ref of this.#refs) {
      const { status, context, connection } = ref.getSnapshot();
      if (status === 'active') assert.deepEqual([connection, context], ['live', shown.context.total]);
    }
    assert.equal(this.#refs.at(-1)?.getSnapshot().connection, 'live');
    assert.deepEqual(this.outcomes.at(-1), ['total']);
    await this.world.stop();
    this.world.faults.none();
    await this.world.advance(1000); // frames on their way
    assert.equal(this.world.clock.pending, 0, 'timers are left');
  }

  #heal(): void {
    this.world.faults.heal();
    this.world.faults.reconnect(this.#bob);
  }

  #ask(timeoutMs: number): void {
    const mine: string[] = [];
    this.outcomes.push(mine);
    const abort = new AbortController();
    this.#cancels.push(abort);
    const options = { timeoutMs, signal: abort.signal };
    this.#alice.ask(counter.at(ADDRESS), { type: 'add', amount: 1 }, options).then(
      ({ type }) => mine.push(type),
      (error: unknown) => mine.push(FabricError.from(error).code),
    );
  }

  #host(): void {
    const { status } = this.#hosted ?? {};
    if (status !== 'running' && status !== 'restarting') this.#hosted = hostOn(this.#bob);
  }

  #watch(): void {
    this.#refs.push(watchFrom(this.#alice));
  }
}

describe('runtimes on a bad network', () => {
  it('end every question once, show watchers what is there, and leave nothing behind', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(step, { maxLength: 30 }), async (seed, steps) => {
        const stage = new Stage(seed);
        await stage.start();
        for (const step of steps) await stage.take(step);
        await stage.end();
        for (const outcome of stage.outcomes) {
          assert.equal(outcome.length, 1, 'outcomes of one question');
          assert.ok(OUTCOMES.includes(outcome[0] ?? ''), outcome[0]);
        }
      }),
      { numRuns: Number(process.env['RUNS'] ?? 150) },
    );
  });
});
