/** All links of a runtime: who may speak for whom, how many there may be, and which are closed. */
import assert from 'node:assert/strict';
import { createMemoryHub, defaultLinkSettings, FabricError, runtimeAddress, silentLogger, type Envelope, type LinkSettings, type MemoryHub, type Protostub, type RuntimeAddress } from '@hyperty/runtime'; // prettier-ignore
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import type { Frame } from '../../../../runtime/src/link/frame.ts';
import { Links } from '../../../../runtime/src/link/links.ts';
import { createPeerStores } from '../../../../runtime/src/link/peer-memory.ts';
import { envelopeOf } from '../../../support/envelope.ts';
import { alice, bob, carol, upTo } from '../../../support/party.ts';

/** The links of one runtime, and what came of them. */
interface Side {
  readonly self: RuntimeAddress;
  readonly links: Links;
  readonly stub: Protostub;
  /** What it sent. */
  readonly frames: Frame[];
  readonly delivered: Envelope[];
  readonly rejected: string[];
  readonly undelivered: string[];
}

describe('the links of a runtime', () => {
  let clock: ManualClock;
  let hub: MemoryHub;
  let sides: Side[];

  beforeEach(() => {
    clock = createManualClock();
    hub = createMemoryHub({ clock });
    sides = [];
  });
  afterEach(async () => {
    await clock.until(Promise.all(sides.map((side) => stop(side))));
    assert.equal(clock.pending, 0, 'timers are left');
  });

  async function start(self: RuntimeAddress, settings: Partial<LinkSettings> = {}): Promise<Side> {
    const [delivered, rejected, undelivered]: [Envelope[], string[], string[]] = [[], [], []];
    let drawn = 0;
    const links = new Links({
      self,
      clock,
      logger: silentLogger,
      settings: { ...defaultLinkSettings, ...settings },
      hex: (digits) =>
        `${String((drawn += 1))}a${self.replace(/[^0-9a-f]/g, '')}`.padEnd(digits, '0').slice(0, digits),
      life: self.replace(/[^a-z]/g, ''),
      store: () => undefined,
      ...createPeerStores(silentLogger, { take: () => true }),
      isHosted: () => true,
      onPeer: () => undefined,
      deliver: (envelope) => {
        delivered.push(envelope);
        return undefined;
      },
      refuse: () => undefined,
      reject: ({ code }) => rejected.push(code),
      undeliverable: ({ id }, { code }) => undelivered.push(`${id} ${code}`),
      interrupted: () => undefined,
      kept: () => undefined,
    });
    const frames: Frame[] = [];
    const stub = hub.protostub(self);
    const send = stub.send.bind(stub);
    stub.send = (frame, to) => {
      frames.push(frame as Frame);
      return send(frame, to);
    };
    links.addPath(stub);
    await stub.start();
    const side = { self, links, stub, frames, delivered, rejected, undelivered };
    sides.push(side);
    return side;
  }

  async function stop(side: Side): Promise<void> {
    sides = sides.filter((other) => other !== side);
    await side.links.stop(new FabricError('closed', 'The runtime has been stopped.'));
    await side.stub.stop();
  }

  const between = (from: RuntimeAddress, to: RuntimeAddress, id = 'a'): Envelope =>
    envelopeOf({ id, from, to });
  const idsOf = ({ delivered }: Side): string[] => delivered.map(({ id }) => id);
  const hello = (from: RuntimeAddress, to: RuntimeAddress): Frame => ({
    kind: 'hello',
    from,
    to,
    epoch: '0'.repeat(32),
    time: clock.now(),
    capabilities: [],
    limit: 64,
    versions: [1],
  });

  it('reject a frame in the name of somebody else', async () => {
    const [a, mallory] = [await start(alice), await start(carol)];
    await mallory.stub.send(hello(bob, alice), alice);
    await clock.settle();
    assert.deepEqual(a.rejected, ['forbidden']);
    assert.deepEqual(a.links.reports(), []);
  });

  it('reject a frame for somebody else, and what is no frame', async () => {
    const [a, b] = [await start(alice), await start(bob)];
    await b.stub.send(hello(bob, carol), alice);
    await b.stub.send({ kind: 'greeting' }, alice);
    await b.stub.send({ kind: 'hello' }, alice);
    await clock.settle();
    assert.deepEqual(a.rejected, ['invalid', 'unsupported', 'invalid']);
    assert.deepEqual(a.links.reports(), []);
  });

  it('reject an envelope in the name of somebody else, or for somebody else, and deliver those beside it', async () => {
    const [a, b] = [await start(alice), await start(bob)];
    void b.links.send(between(bob, alice, 'true'));
    await clock.advance(500);
    const said = b.frames.find(({ kind }) => kind === 'data');
    assert.ok(said?.kind === 'data');
    const entries = JSON.stringify([between(carol, alice, 'forged'), between(bob, carol, 'astray'), between(bob, alice, 'next')]); // prettier-ignore
    await b.stub.send({ ...said, first: 2, entries }, alice); // prettier-ignore
    await clock.advance(500);
    assert.deepEqual(idsOf(a), ['true', 'next']);
    assert.deepEqual(a.rejected, ['forbidden', 'invalid']);
  });

  it('refuse more links than one account may have, and others still get theirs', async () => {
    const a = await start(alice, { maxLinksPerOwner: 2 });
    for (const device of ['ONE', 'TWO', 'THREE'])
      (await start(runtimeAddress({ domain: 'guest.example', owner: 'carol', device }))).links.greet([alice]);
    (await start(bob)).links.greet([alice]);
    await clock.settle();
    assert.equal(a.links.reports().length, 3);
    assert.deepEqual(new Set(a.rejected), new Set(['rate-limited']));
    assert.ok(a.links.reports().some(({ peer }) => peer === bob));
  });

  it('close what is idle, and open it again when there is something to say', async () => {
    const [a, b] = [await start(alice, { idleMs: 10_000 }), await start(bob)];
    void a.links.send(between(alice, bob, 'a'));
    await clock.advance(30_000);
    assert.deepEqual(a.links.reports(), []);
    void b.links.send(between(bob, alice, 'b'));
    void a.links.send(between(alice, bob, 'c'));
    await clock.advance(5000);
    assert.deepEqual(idsOf(b), ['a', 'c']);
    assert.deepEqual(idsOf(a), ['b']);
    assert.deepEqual([...a.undelivered, ...b.undelivered], []);
  });

  it('close the longest idle one when there are too many', async () => {
    const a = await start(alice, { maxLinks: 1 });
    const [b, c] = [await start(bob), await start(carol)];
    void a.links.send(between(alice, bob, 'first'));
    await clock.advance(1000);
    void a.links.send(between(alice, carol, 'second'));
    await clock.advance(1000);
    assert.deepEqual(a.links.reports().map(({ peer }) => peer), [carol]); // prettier-ignore
    assert.deepEqual([idsOf(b), idsOf(c)], [['first'], ['second']]);
  });

  it('refuse a link when all are busy', async () => {
    const a = await start(alice, { maxLinks: 1 });
    void a.links.send(between(alice, bob));
    assert.throws(
      () => a.links.send(between(alice, carol)),
      (error) => error instanceof FabricError && error.code === 'mailbox-full',
    );
  });

  it('say not-found for another hyperty of the own runtime, and no-route where no path leads', async () => {
    const a = await start(alice);
    const codeOf = (code: string) => (error: unknown) => error instanceof FabricError && error.code === code;
    assert.throws(() => a.links.send(between(alice, alice)), codeOf('not-found'));
    await a.stub.stop();
    assert.throws(() => a.links.send(between(alice, bob)), codeOf('no-route'));
  });

  describe('let a sender go on that waits for room', () => {
    const sendMany = (a: Side, expiresInMs = 60_000): Promise<void> => {
      const deadline = clock.now() + expiresInMs;
      const waits = upTo(6).map((n) => a.links.send({ ...between(alice, bob, String(n)), deadline }));
      const room = waits.at(-1);
      assert.ok(room instanceof Promise);
      return room;
    };

    it('when what waits has been acknowledged', async () => {
      const [a, b] = [await start(alice, { congestedAt: 4 }), await start(bob)];
      await clock.until(sendMany(a));
      assert.equal(b.delivered.length, 6);
    });

    it('when what waits has expired', async () => {
      const a = await start(alice, { congestedAt: 4 });
      await clock.until(sendMany(a, 5000));
      assert.equal(a.undelivered.length, 6);
    });

    it('when the peer took all of it and closed, its acknowledgement lost', async () => {
      const [a, b] = [await start(alice, { congestedAt: 4 }), await start(bob, { ackDelayMs: 10_000 })];
      void a.links.send(between(alice, bob, 'first'));
      await clock.advance(15_000);
      const room = sendMany(a);
      await clock.settle();
      await clock.until(stop(b));
      await clock.until(room, { withinMs: 120_000 });
      assert.deepEqual(a.undelivered, []);
    });

    it('when what waits has been withdrawn', async () => {
      const [a] = [await start(alice, { congestedAt: 4 }), await start(bob, { windowEnvelopes: 1 })];
      const room = sendMany(a);
      for (const n of upTo(6)) a.links.withdraw(between(alice, bob, String(n)));
      await clock.until(room);
      assert.equal(a.links.reports()[0]?.waiting, 0);
    });
  });
});
