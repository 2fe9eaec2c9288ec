/**
 * The promise of a link when runtimes crash and come back, and idle links close: nothing twice, order kept, and
 * whatever a living runtime has sent is delivered or told to be undeliverable.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createMemoryHub, type FrameFate, type MemoryHub, type RuntimeAddress } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { alice, bob, createParty, type Party } from '../../../support/party.ts';

const ARRIVES: FrameFate = { copies: 1, delayMs: 0 };
const LINKS = { windowEnvelopes: 8, idleMs: 4000 };
const PEERS = new Map([
  [alice, bob],
  [bob, alice],
]);

const who = fc.constantFrom(alice, bob);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      who,
      amount: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), who, amount: fc.nat(9000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), who, amount: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), who, amount: fc.constant(0) }) },
);
const fate: fc.Arbitrary<FrameFate> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(ARRIVES) },
  { weight: 1, arbitrary: fc.constant({ copies: 0, delayMs: 0 }) },
  { weight: 2, arbitrary: fc.record({ copies: fc.integer({ min: 1, max: 3 }), delayMs: fc.nat(12_000) }) },
);

/** Two accounts whose runtimes come and go. */
class World {
  readonly clock: ManualClock = createManualClock();
  readonly #hub: MemoryHub;
  readonly #living = new Map<RuntimeAddress, Party>();
  /** Numbers sent by the life of an account that is going on. */
  readonly #sent = new Map<RuntimeAddress, number[]>();
  /** Numbers that came to an account, in all its lives. */
  readonly received = new Map<RuntimeAddress, number[]>([
    [alice, []],
    [bob, []],
  ]);
  #last = 0;

  constructor(fates: readonly FrameFate[]) {
    let frames = 0;
    this.#hub = createMemoryHub({ clock: this.clock, faults: () => fates[frames++] ?? ARRIVES });
  }

  async start(address: RuntimeAddress): Promise<void> {
    const onNote = (number: number): void => void this.received.get(address)?.push(number);
    const protostub = this.#hub.protostub(address);
    this.#sent.set(address, []);
    this.#living.set(
      address,
      await createParty({ clock: this.clock, address, protostub, links: LINKS, onNote }),
    );
  }

  /** Ends a life, in order or (`crash`) without a word, and begins the next. */
  async renew(address: RuntimeAddress, kind: 'crash' | 'restart'): Promise<void> {
    if (kind === 'crash') this.#hub.disconnect(address);
    await this.clock.until(this.#party(address).runtime.stop({ drainMs: kind === 'crash' ? 0 : 500 }));
    await this.start(address);
  }

  send(address: RuntimeAddress, amount: number): void {
    for (let i = 0; i < amount; i += 1) {
      this.#last += 1;
      this.#sent.get(address)?.push(this.#last);
      this.#party(address).note(PEERS.get(address) ?? alice, this.#last);
    }
  }

  async end(): Promise<void> {
    await this.clock.advance(300_000);
    await this.clock.until(Promise.all([...this.#living.values()].map(({ runtime }) => runtime.stop())));
  }

  /** What an account in its last life has sent without ever hearing what became of it. */
  vanished(from: RuntimeAddress): number[] {
    const known = new Set(this.received.get(PEERS.get(from) ?? alice));
    for (const { number } of this.#party(from).undelivered) known.add(number);
    return (this.#sent.get(from) ?? []).filter((number) => !known.has(number));
  }

  #party(address: RuntimeAddress): Party {
    const party = this.#living.get(address);
    assert.ok(party);
    return party;
  }
}

describe('links of runtimes that crash and come back', () => {
  it('deliver nothing twice, keep the order, and let nothing vanish', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 24, size: 'max' }),
        fc.array(fate, { maxLength: 80, size: 'max' }),
        async (steps, fates) => {
          const world = new World(fates);
          await world.start(alice);
          await world.start(bob);
          for (const { kind, who, amount } of steps) {
            if (kind === 'wait') await world.clock.advance(amount);
            else if (kind === 'send') world.send(who, amount);
            else await world.renew(who, kind);
          }
          await world.end();
          for (const address of [alice, bob]) {
            const received = world.received.get(address) ?? [];
            assert.deepEqual(
              received,
              [...new Set(received)].toSorted((a, b) => a - b),
            );
            assert.deepEqual(world.vanished(address), []);
          }
        },
      ),
      { numRuns: 150, seed: 20261124 },
    );
  });
});
