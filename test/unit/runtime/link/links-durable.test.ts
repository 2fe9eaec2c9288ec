/** Links and what outlives a session: names of lives and stores, durable envelopes, repeats, receivers that move. */
import assert from 'node:assert/strict';
import { createMemoryHub, defaultLinkSettings, FabricError, hypertyAddress, runtimeAddress, silentLogger, type Envelope, type LinkSettings, type MemoryHub, type Protostub, type RuntimeAddress } from '@hyperty/runtime'; // prettier-ignore
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import type { Origin } from '../../../../runtime/src/bus/endpoint.ts';
import type { Frame, FrameOf } from '../../../../runtime/src/link/frame.ts';
import { Links, type LinksDeps } from '../../../../runtime/src/link/links.ts';
import { createPeerStores } from '../../../../runtime/src/link/peer-memory.ts';
import { envelopeOf } from '../../../support/envelope.ts';
import { alice, bob, upTo } from '../../../support/party.ts';

const HOUR_MS = 3_600_000;
const CLOSED = new FabricError('closed', 'The runtime has been stopped.');
const laptop = runtimeAddress({ domain: 'partner.example', owner: 'bob', device: 'LAPTOP' });
const desk = hypertyAddress({ domain: 'partner.example', owner: 'bob', name: 'desk' });

/** The links of one runtime, and what came of them. */
interface Side {
  readonly links: Links;
  readonly stub: Protostub;
  readonly frames: Frame[];
  readonly delivered: { readonly envelope: Envelope; readonly origin: Origin }[];
  readonly kept: string[];
  readonly undelivered: string[];
  readonly interruptions: RuntimeAddress[];
}

describe('links and durable envelopes', () => {
  let clock: ManualClock;
  let hub: MemoryHub;
  let sides: Side[];
  let lives: number;
  let isLost: (frame: Frame) => boolean;

  beforeEach(() => {
    clock = createManualClock();
    hub = createMemoryHub({ clock });
    [sides, lives, isLost] = [[], 0, () => false];
  });
  afterEach(async () => {
    await clock.until(Promise.all(sides.map((side) => end(side))));
    assert.equal(clock.pending, 0, 'timers are left');
  });

  async function start(
    self: RuntimeAddress,
    {
      settings = {},
      ...deps
    }: Partial<Omit<LinksDeps, 'settings'>> & { settings?: Partial<LinkSettings> } = {},
  ): Promise<Side> {
    const stub = hub.protostub(self);
    const side = { stub, frames: [], delivered: [], kept: [], undelivered: [], interruptions: [] } as Omit<Side, 'links'>; // prettier-ignore
    const life = `life-${String((lives += 1)).padStart(4, '0')}`;
    let drawn = 0;
    const links = new Links({
      self,
      clock,
      logger: silentLogger,
      settings: { ...defaultLinkSettings, ...settings },
      hex: (digits) => `${life}-${String((drawn += 1))}`.padEnd(digits, '0'),
      life,
      store: () => undefined,
      ...createPeerStores(silentLogger, { take: () => true }),
      isHosted: () => true,
      onPeer: () => undefined,
      deliver: (envelope, origin) => {
        side.delivered.push({ envelope, origin });
        return undefined;
      },
      refuse: () => undefined,
      reject: (error) => assert.fail(error),
      kept: ({ id }) => side.kept.push(id),
      undeliverable: ({ id }, { code, details }) =>
        side.undelivered.push(details['restarted'] ? `${id} restarted` : `${id} ${code}`),
      interrupted: (peer) => side.interruptions.push(peer),
      ...deps,
    });
    const send = stub.send.bind(stub);
    stub.send = (frame, to) => {
      side.frames.push(frame as Frame);
      return isLost(frame as Frame) ? Promise.resolve() : send(frame, to);
    };
    links.addPath(stub);
    await stub.start();
    sides.push({ ...side, links });
    return { ...side, links };
  }

  async function end(side: Pick<Side, 'stub' | 'links'>): Promise<void> {
    sides = sides.filter(({ links }) => links !== side.links);
    await side.links.stop(CLOSED);
    await side.stub.stop();
  }

  /** Ends a life without a word. */
  async function crash(side: Side): Promise<void> {
    hub.disconnect(side.stub.address);
    await clock.until(end(side));
  }

  let numbers = 0;
  const durable = (id: string, fields: Partial<Envelope> = {}): Envelope => {
    const seq = { epoch: 'store-of-alice', token: 1, number: (numbers += 1) };
    return envelopeOf({ id, from: alice, to: bob, seq, ...fields });
  };
  const volatile = (id: string): Envelope => envelopeOf({ id, from: alice, to: bob });
  const idsOf = ({ delivered }: Side): string[] => delivered.map(({ envelope }) => envelope.id);
  const repeatsOf = ({ delivered }: Side): string[] =>
    delivered.filter(({ origin }) => origin.isRepeat).map(({ envelope }) => envelope.id);
  const framesOf = <K extends Frame['kind']>(kind: K, { frames }: Side): FrameOf<K>[] =>
    frames.filter((frame): frame is FrameOf<K> => frame.kind === kind);
  const store = (name: string | undefined) => ({ store: () => name });

  /** One envelope acknowledged, then `envelopes` sent to a peer that crashes before it gets them; it comes back. */
  async function interrupt(
    envelopes: readonly Envelope[],
    before: string | undefined,
    after: string | undefined,
  ) {
    const [a, b] = [await start(alice), await start(bob, store(before))];
    void a.links.send(volatile('first'));
    await clock.advance(500);
    isLost = (frame) => frame.kind === 'data' && frame.from === alice;
    for (const envelope of envelopes) void a.links.send(envelope);
    await clock.advance(100);
    await crash(b);
    isLost = () => false;
    const again = await start(bob, store(after));
    await clock.advance(60_000);
    return { a, b, again };
  }

  it('say their lives and stores, and how they know the peer', async () => {
    const a = await start(alice, store('store-of-alice'));
    const b = await start(bob, store('store-of-bob'));
    void a.links.send(volatile('a'));
    await clock.advance(500);
    const [hello] = framesOf('hello', a);
    assert.deepEqual(
      [hello?.life, hello?.store, hello?.knownStore],
      ['life-0001', 'store-of-alice', undefined],
    );
    const [welcome] = framesOf('welcome', b);
    assert.deepEqual(
      [welcome?.life, welcome?.store, welcome?.knownStore],
      ['life-0002', 'store-of-bob', undefined],
    );
    assert.deepEqual(b.delivered[0]?.origin, { peer: alice, life: 'life-0001', isRepeat: false });
    await crash(b);
    const again = await start(bob, store('store-of-bob'));
    again.links.greet([alice]);
    await clock.advance(500);
    assert.equal(framesOf('welcome', a)[0]?.knownStore, 'store-of-bob');
  });

  it('call the peer by its epoch where it names no life', async () => {
    const a = await start(alice);
    const b = await start(bob);
    const send = b.stub.send.bind(b.stub);
    b.stub.send = (frame, to) => send({ ...frame, life: undefined }, to);
    void b.links.send(envelopeOf({ from: bob, to: alice }));
    await clock.advance(500);
    assert.equal(a.delivered[0]?.origin.life, framesOf('hello', b)[0]?.epoch);
  });

  it('send what is durable again to a peer in a new life, and report what is not', async () => {
    const { a, again } = await interrupt([durable('d1'), volatile('v'), durable('d2')], undefined, undefined);
    assert.deepEqual(idsOf(again), ['d1', 'd2']);
    assert.deepEqual(repeatsOf(again), []);
    assert.deepEqual(a.undelivered, ['v restarted']);
    assert.deepEqual(a.kept, ['d1', 'd2']);
    assert.deepEqual(a.interruptions, [bob]);
  });

  it('send all of it again to a peer that kept its store, marked unless it is durable', async () => {
    const { a, again } = await interrupt([durable('d'), volatile('v')], 'store-of-bob', 'store-of-bob');
    assert.deepEqual(idsOf(again), ['d', 'v']);
    assert.deepEqual(repeatsOf(again), ['v']);
    assert.deepEqual(a.undelivered, []);
    assert.deepEqual(a.interruptions, [bob]);
  });

  it('report what is not durable to be lost when the peer comes with another store', async () => {
    const { a, again } = await interrupt([durable('d'), volatile('v')], 'store-of-bob', 'store-of-old');
    assert.deepEqual(idsOf(again), ['d']);
    assert.deepEqual(a.undelivered, ['v restarted']);
  });

  it('tell of an interruption when a peer that closed in order comes back in a new life, not in the same', async () => {
    const [a, b] = [await start(alice), await start(bob)];
    void a.links.send(volatile('a'));
    await clock.advance(500);
    await clock.until(end(b));
    const sameLife = await start(bob, { life: 'life-0002' });
    void a.links.send(volatile('b'));
    await clock.advance(5000);
    assert.deepEqual(a.interruptions, []);
    await clock.until(end(sameLife));
    await start(bob);
    void a.links.send(volatile('c'));
    await clock.advance(5000);
    assert.deepEqual(a.interruptions, [bob]);
  });

  it('keep what is durable for a peer that is away for days, and give up the rest', async () => {
    const [a, b] = [await start(alice), await start(bob)];
    void a.links.send(volatile('first'));
    await clock.advance(500);
    hub.disconnect(bob);
    const deadline = clock.now() + HOUR_MS;
    for (const envelope of [durable('d1'), volatile('v'), durable('brief', { deadline }), durable('d2')])
      void a.links.send(envelope);
    await clock.advance(50 * HOUR_MS);
    assert.deepEqual(a.undelivered, ['v offline', 'brief offline']);
    assert.deepEqual(a.links.reports().map(({ durable }) => durable), [2]); // prettier-ignore
    hub.reconnect(bob);
    await clock.advance(120_000);
    assert.deepEqual(idsOf(b), ['first', 'd1', 'd2']);
    assert.deepEqual(a.kept, ['d1', 'd2']);
  });

  it('call nothing kept that was withdrawn or reported undeliverable before its acknowledgement', async () => {
    const [a, b] = [await start(alice), await start(bob)];
    void a.links.send(volatile('first'));
    await clock.advance(500);
    isLost = (frame) => frame.from === bob;
    for (const envelope of [durable('d1'), durable('brief', { deadline: clock.now() + 3000 }), durable('d2')])
      void a.links.send(envelope);
    await clock.advance(100);
    a.links.withdraw(durable('d1'));
    await clock.advance(10_000);
    isLost = () => false;
    await clock.advance(60_000);
    assert.deepEqual(idsOf(b), ['first', 'd1', 'brief', 'd2']);
    assert.deepEqual([a.kept, a.undelivered], [['d2'], ['brief offline']]);
  });

  it('call kept what the peer took over just before it closed', async () => {
    const [a, b] = [await start(alice), await start(bob, { settings: { ackDelayMs: 10_000 } })];
    void a.links.send(durable('d'));
    await clock.advance(100);
    assert.deepEqual(a.kept, []);
    await clock.until(end(b));
    assert.deepEqual(a.kept, ['d']);
  });

  it('report what is durable when they end', async () => {
    const a = await start(alice);
    for (const id of ['d1', 'd2']) void a.links.send(durable(id));
    await clock.until(end(a));
    assert.deepEqual(a.undelivered, ['d1 closed', 'd2 closed']);
  });

  it('acknowledge nothing while a store fails, deliver nothing twice, and can be stopped', async () => {
    const pending = new Promise<void>(() => undefined);
    const seen: string[] = [];
    const a = await start(alice);
    const b = await start(bob, {
      deliver: ({ id }) => {
        seen.push(id);
        return { kept: pending, handled: pending };
      },
    });
    for (const id of ['d1', 'd2']) void a.links.send(durable(id));
    await clock.advance(120_000);
    assert.deepEqual(seen, ['d1', 'd2']);
    assert.deepEqual([a.kept, a.undelivered], [[], []]);
    assert.ok(framesOf('data', a).length < 40, 'it was sent again and again');
    assert.equal(b.links.reports()[0]?.lastReceived, 0);
    await clock.until(end(b));
  });

  it('answer a search once the store has said whether the address lives there', async () => {
    const a = await start(alice);
    const b = await start(bob, { isHosted: () => Promise.resolve(true) });
    void a.links.send(durable('d', { to: desk }));
    await clock.advance(500);
    assert.deepEqual(idsOf(b), ['d']);
  });

  it('take what is durable along, first, when its receiver lives in another runtime now', async () => {
    const a = await start(alice);
    const b = await start(bob);
    const other = await start(laptop, { isHosted: () => false });
    void a.links.send(durable('d0', { to: desk }));
    await clock.advance(3000);
    isLost = (frame) => frame.kind === 'data' && frame.from === alice && frame.to === bob;
    for (const number of upTo(3)) void a.links.send(durable(`d${String(number)}`, { to: desk }));
    await clock.advance(500);
    await crash(b);
    await crash(other);
    const there = await start(laptop);
    await clock.advance(60_000); // the link to the desk falls silent, and the route is forgotten
    void a.links.send(durable('d4', { to: desk }));
    await clock.advance(60_000);
    assert.deepEqual(idsOf(there), ['d1', 'd2', 'd3', 'd4']);
    assert.deepEqual(a.kept, ['d0', 'd1', 'd2', 'd3', 'd4']);
  });
});
