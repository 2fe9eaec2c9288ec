/**
 * The promise of a link to what is durable: whatever becomes of either side, each envelope is taken over exactly once and in
 * order, as long as its sender offers what came back again; and what is not durable is handled at most once.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createMemoryHub, defaultLinkSettings, FabricError, hypertyAddress, silentLogger, type Envelope, type FrameFate, type MemoryHub, type Protostub, type RuntimeAddress } from '@hyperty/runtime'; // prettier-ignore
import { createManualClock } from '@hyperty/runtime/testing';
import { Links, type LinksDeps } from '../../../../runtime/src/link/links.ts';
import { createPeerStores } from '../../../../runtime/src/link/peer-memory.ts';
import { envelopeOf } from '../../../support/envelope.ts';
import { alice, bob } from '../../../support/party.ts';
import { Desk, Offers } from './durable-model.ts';

const ARRIVES: FrameFate = { copies: 1, delayMs: 0 };
const SETTINGS = { ...defaultLinkSettings, windowEnvelopes: 8, idleMs: 4000 };
const CLOSED = new FabricError('closed', 'The runtime has been stopped.');
const desk = hypertyAddress({ domain: 'partner.example', owner: 'bob', name: 'desk' });
const SENDERS = ['diary', 'agenda'].map((name) =>
  hypertyAddress({ domain: 'acme.example', owner: 'alice', name }),
);

const BREAKS = ['restart', 'restart', 'restart-without-store', 'restart-with-other-store', 'lose-session', 'close-own']; // prettier-ignore
const kinds = (...of: string[]): fc.Arbitrary<string> => fc.constantFrom(...of);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kinds('durable', 'volatile'), amount: fc.integer({ min: 1, max: 12 }) }) }, // prettier-ignore
  // Short enough to break off in the middle of a commit, or before its acknowledgement.
  { weight: 5, arbitrary: fc.record({ kind: kinds('wait'), amount: fc.nat(160) }) },
  { weight: 5, arbitrary: fc.record({ kind: kinds('wait'), amount: fc.nat(9000) }) },
  { weight: 4, arbitrary: fc.record({ kind: kinds(...BREAKS), amount: fc.constant(0) }) },
);
const fate: fc.Arbitrary<FrameFate> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(ARRIVES) },
  { weight: 1, arbitrary: fc.constant({ copies: 0, delayMs: 0 }) },
  { weight: 2, arbitrary: fc.record({ copies: fc.integer({ min: 1, max: 3 }), delayMs: fc.nat(12_000) }) },
);

/** Alice's links, which send, and bob's, which receive. */
class World {
  readonly clock = createManualClock();
  readonly desk = new Desk(this.clock);
  readonly offers = new Offers(this.clock, () => this.#links.alice);
  readonly sent: Envelope[] = [];
  readonly #hub: MemoryHub;
  readonly #numbers = new Map<string, number>();
  #links!: Record<'alice' | 'bob', Links>;
  #stubs!: Record<'alice' | 'bob', Protostub>;
  #fates: FrameFate[];
  #draws = 0;
  #life = 1;
  #store: string | undefined = 'store-of-bob-1';

  constructor(fates: readonly FrameFate[]) {
    this.#fates = [...fates];
    this.#hub = createMemoryHub({ clock: this.clock, faults: () => this.#fates.shift() ?? ARRIVES });
  }

  async start(): Promise<void> {
    this.#stubs = { alice: this.#hub.protostub(alice), bob: this.#hub.protostub(bob) };
    this.#links = { alice: this.#startAlice(), bob: this.#startBob() };
    await Promise.all([this.#stubs.alice.start(), this.#stubs.bob.start()]);
  }

  async take(kind: string, amount: number): Promise<void> {
    if (kind === 'wait') await this.clock.advance(amount);
    else if (kind === 'durable' || kind === 'volatile') this.#send(kind, amount);
    else if (kind === 'close-own') await this.#closeAlice();
    else {
      if (kind !== 'lose-session') this.#life += 1;
      if (kind === 'restart-without-store') this.#store = undefined;
      if (kind === 'restart-with-other-store') this.#store = `store-of-bob-${this.#life}`;
      if (kind === 'restart') this.#store ??= 'store-of-bob-1';
      await this.#restartBob();
    }
  }

  async end(): Promise<void> {
    for (let s = 0; s < 900 && this.offers.waiting.size > 0; s += 1) await this.clock.advance(1000);
    this.#fates = [];
    await this.clock.advance(60_000);
    await this.clock.until(Promise.all([this.#links.alice.stop(CLOSED), this.#links.bob.stop(CLOSED)]));
    await Promise.all([this.#stubs.alice.stop(), this.#stubs.bob.stop()]);
  }

  #send(kind: 'durable' | 'volatile', amount: number): void {
    for (let i = 0; i < amount; i += 1) {
      const from = SENDERS[this.sent.length % SENDERS.length] ?? alice;
      const number = (this.#numbers.get(from) ?? 0) + 1;
      this.#numbers.set(from, number);
      const envelope = envelopeOf({ id: `${kind}-${this.sent.length}`, from, to: desk });
      const seq = { epoch: 'store-of-alice', token: 1, number };
      this.sent.push(envelope);
      this.offers.offer(kind === 'durable' ? { ...envelope, seq } : envelope);
    }
  }

  /** Alice's links end in order and begin anew. */
  async #closeAlice(): Promise<void> {
    await this.clock.until(this.#links.alice.stop(CLOSED));
    this.#links.alice = this.#startAlice();
  }

  /** Bob's links end without a word and begin anew; what had not been committed is gone. */
  async #restartBob(): Promise<void> {
    this.#hub.disconnect(bob);
    this.desk.crash();
    await this.clock.until(this.#links.bob.stop(CLOSED));
    this.#stubs.bob = this.#hub.protostub(bob);
    this.#links.bob = this.#startBob();
    await this.#stubs.bob.start();
    this.#links.bob.greet([alice]);
  }

  #startAlice(): Links {
    return this.#startLinks(alice, this.#stubs.alice, {
      life: 'life-of-alice',
      store: () => 'store-of-alice',
      kept: (envelope) => {
        this.offers.onKept(envelope);
      },
      undeliverable: (envelope) => {
        this.offers.onUndeliverable(envelope);
      },
    });
  }

  #startBob(): Links {
    const store = this.#store;
    return this.#startLinks(bob, this.#stubs.bob, {
      life: `life-of-bob-${this.#life}`,
      store: () => store,
      deliver: (envelope, origin) => this.desk.take(envelope, origin, store !== undefined),
    });
  }

  #startLinks(self: RuntimeAddress, stub: Protostub, deps: Partial<LinksDeps>): Links {
    const links = new Links({
      self,
      clock: this.clock,
      logger: silentLogger,
      settings: SETTINGS,
      hex: (digits) => String((this.#draws += 1)).padStart(digits, '0'),
      life: '',
      store: () => undefined,
      ...createPeerStores(silentLogger, { take: () => true }),
      isHosted: () => Promise.resolve(self === bob),
      onPeer: () => undefined,
      deliver: () => undefined,
      refuse: () => undefined,
      reject: (error) => assert.fail(error),
      kept: () => undefined,
      undeliverable: () => undefined,
      interrupted: () => undefined,
      ...deps,
    });
    links.addPath(stub);
    return links;
  }
}

const isDurable = ({ id }: Envelope): boolean => id.startsWith('durable');
const idsOf = (envelopes: readonly Envelope[]): string[] => envelopes.map(({ id }) => id);

describe('links that carry durable envelopes', () => {
  it('have each taken over once and in order, through crashes of the peer and ends of their own', async function () {
    this.timeout(90_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 50, size: 'max' }),
        fc.array(fate, { maxLength: 80, size: 'max' }),
        async (steps, fates) => {
          const world = new World(fates);
          await world.start();
          for (const { kind, amount } of steps) await world.take(kind, amount);
          await world.end();
          const { desk, offers, sent, clock } = world;
          for (const sender of SENDERS) {
            const bySender = (envelopes: readonly Envelope[]): string[] =>
              idsOf(envelopes.filter((envelope) => isDurable(envelope) && envelope.from === sender));
            assert.deepEqual(bySender(desk.taken), bySender(sent));
          }
          assert.deepEqual(new Set(offers.kept.keys()), new Set(idsOf(sent.filter(isDurable))));
          assert.ok(
            [...offers.kept.values()].every((times) => times === 1),
            'kept was called twice',
          );
          const volatile = idsOf(desk.taken.filter((envelope) => !isDurable(envelope)));
          assert.equal(new Set(volatile).size, volatile.length, 'handled twice');
          const known = new Set([...volatile, ...offers.told, ...desk.refused]);
          assert.deepEqual(
            idsOf(sent).filter((id) => id.startsWith('volatile') && !known.has(id)),
            [],
          );
          assert.equal(clock.pending, 0, 'timers are left');
        },
      ),
      { numRuns: 150, seed: 20261124 },
    );
  });
});
