/**
 * The promise of a link, for any traffic on any bad transport: nothing lost, nothing twice, order kept, nothing left
 * over. Faults end after a while, so that every run comes to rest.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  createMemoryHub,
  type Clock,
  type FrameFate,
  type MemoryHub,
  type Protostub,
  type RuntimeAddress,
} from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { useImmediateDigest } from '../../../support/immediate-digest.ts';
import { alice, bob, createParty, upTo, type Party } from '../../../support/party.ts';

const ARRIVES: FrameFate = { copies: 1, delayMs: 0 };
/** Small frames, so that a body of a few kilobytes spills. */
const MAX_FRAME_BYTES = 3000;
const LARGE = 'ü'.repeat(2000);

type Step =
  | { readonly kind: 'send'; readonly who: Who; readonly count: number; readonly large: boolean }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'cut' | 'join'; readonly who: Who; readonly hub: 'first' | 'second' }
  | { readonly kind: 'road'; readonly who: Who };
type Who = 'alice' | 'bob';

const who = fc.constantFrom<Who>('alice', 'bob');
const hub = fc.constantFrom<'first' | 'second'>('first', 'second');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      who,
      count: fc.integer({ min: 1, max: 40 }),
      large: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 4000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), who, hub }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('join' as const), who, hub }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('road' as const), who }) },
);
const fate: fc.Arbitrary<FrameFate> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(ARRIVES) },
  { weight: 2, arbitrary: fc.constant({ copies: 0, delayMs: 0 }) },
  {
    weight: 2,
    arbitrary: fc.record({
      copies: fc.integer({ min: 1, max: 3 }),
      delayMs: fc.integer({ min: 0, max: 8000 }),
    }),
  },
);

/** Two parties, two hubs that share one media store, as two roads to the same message node do. */
class World {
  readonly clock: ManualClock = createManualClock();
  readonly hubs: Readonly<Record<'first' | 'second', MemoryHub>>;
  readonly #stubs: Readonly<Record<Who, { readonly first: Protostub; readonly second: Protostub }>>;
  readonly #roads: Record<Who, (() => void) | undefined> = { alice: undefined, bob: undefined };
  readonly sent: Record<Who, number> = { alice: 0, bob: 0 };
  #onTheWay = 0;
  parties!: Readonly<Record<Who, Party>>;

  constructor(fates: readonly FrameFate[]) {
    let frames = 0;
    const faults = (): FrameFate => fates[frames++] ?? ARRIVES;
    const clock: Clock = {
      ...this.clock,
      setTimeout: (run, delayMs) => {
        this.#onTheWay += 1;
        return this.clock.setTimeout(() => {
          this.#onTheWay -= 1;
          run();
        }, delayMs);
      },
    };
    const createHub = (): MemoryHub => createMemoryHub({ clock, faults, maxFrameBytes: MAX_FRAME_BYTES });
    this.hubs = { first: createHub(), second: createHub() };
    const stubsOf = (address: RuntimeAddress): { first: Protostub; second: Protostub } => {
      const first = this.hubs.first.protostub(address);
      const second = this.hubs.second.protostub(address);
      return { first, second: Object.defineProperty(second, 'media', { value: first.media }) };
    };
    this.#stubs = { alice: stubsOf(alice), bob: stubsOf(bob) };
  }

  /** Timers of the runtimes: those of the clock without late frames. */
  get timers(): number {
    return this.clock.pending - this.#onTheWay;
  }

  async start(): Promise<void> {
    const start = (address: RuntimeAddress, protostub: Protostub): Promise<Party> =>
      createParty({
        clock: this.clock,
        address,
        protostub,
        links: { windowEnvelopes: 16 },
      });
    this.parties = {
      alice: await start(alice, this.#stubs.alice.first),
      bob: await start(bob, this.#stubs.bob.first),
    };
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'wait') await this.clock.advance(step.ms);
    else if (step.kind === 'send') this.#send(step);
    else if (step.kind === 'road') await this.#changeRoad(step.who);
    else {
      const address = step.who === 'alice' ? alice : bob;
      if (step.kind === 'cut') this.hubs[step.hub].disconnect(address);
      else this.hubs[step.hub].reconnect(address);
    }
  }

  /** All faults are over: everything arrives, and then nothing is left. */
  async end(): Promise<void> {
    for (const address of [alice, bob]) {
      this.hubs.first.reconnect(address);
      this.hubs.second.reconnect(address);
    }
    for (const who of ['alice', 'bob'] as const) await this.#closeRoad(who);
    for (let s = 0; s < 600 && !this.#complete(); s += 1) await this.clock.advance(1000);
    await this.clock.until(Promise.all([this.parties.alice.runtime.stop(), this.parties.bob.runtime.stop()]));
  }

  #complete(): boolean {
    const { alice, bob } = this.parties;
    return (
      alice.waiting() + bob.waiting() === 0 &&
      alice.received.length >= this.sent.bob &&
      bob.received.length >= this.sent.alice
    );
  }

  #send({ who, count, large }: Extract<Step, { kind: 'send' }>): void {
    const peer = who === 'alice' ? bob : alice;
    for (let i = 0; i < count; i += 1) {
      this.sent[who] += 1;
      this.parties[who].note(peer, this.sent[who], large && i === count >> 1 ? LARGE : '');
    }
  }

  /** Opens the second road, preferred, or closes it again. */
  async #changeRoad(who: Who): Promise<void> {
    if (this.#roads[who]) await this.#closeRoad(who);
    else
      this.#roads[who] = await this.parties[who].runtime.addProtostub(this.#stubs[who].second, {
        first: true,
      });
  }

  async #closeRoad(who: Who): Promise<void> {
    this.#roads[who]?.();
    this.#roads[who] = undefined;
    await this.#stubs[who].second.stop();
  }
}

describe('a link on a bad transport', () => {
  let undo: () => void;
  before(() => {
    undo = useImmediateDigest();
  });
  after(() => {
    undo();
  });

  it('delivers everything once and in order, and leaves nothing behind', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 24, size: 'max' }),
        fc.array(fate, { maxLength: 80, size: 'max' }),
        async (steps, fates) => {
          const world = new World(fates);
          await world.start();
          for (const step of steps) await world.take(step);
          await world.end();
          assert.deepEqual(world.parties.bob.received, upTo(world.sent.alice));
          assert.deepEqual(world.parties.alice.received, upTo(world.sent.bob));
          assert.deepEqual([...world.parties.alice.undelivered, ...world.parties.bob.undelivered], []);
          assert.equal(world.timers, 0);
        },
      ),
      { numRuns: 150, seed: 20261124 },
    );
  });
});
