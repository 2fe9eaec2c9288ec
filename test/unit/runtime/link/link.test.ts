/** What a link promises in particular situations: credit, a peer in a new life, closing in order, stale frames. */
import assert from 'node:assert/strict';
import {
  createMemoryHub,
  type FrameListener,
  type MemoryHub,
  type Protostub,
  type RuntimeAddress,
} from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import type { Frame, FrameOf } from '../../../../runtime/src/link/frame.ts';
import { alice, bob, createParty, upTo, type Party, type PartyOptions } from '../../../support/party.ts';

describe('a link', () => {
  let clock: ManualClock;
  let hub: MemoryHub;
  /** Frames that were sent, and a choice which of them are lost. */
  let frames: Frame[];
  let listeners: Map<RuntimeAddress, FrameListener[]>;
  let isLost: (frame: Frame) => boolean;
  let parties: Party[];

  beforeEach(() => {
    clock = createManualClock();
    hub = createMemoryHub({ clock });
    frames = [];
    listeners = new Map();
    isLost = () => false;
    parties = [];
  });
  afterEach(async () => {
    await clock.until(Promise.all(parties.map(({ runtime }) => runtime.stop({ drainMs: 0 }))));
    assert.equal(clock.pending, 0, 'timers are left');
  });

  /** A stub whose frames are noted, and lost when the test says so. */
  function watched(address: RuntimeAddress): Protostub {
    const stub = hub.protostub(address);
    const send = stub.send.bind(stub);
    const onFrame = stub.onFrame.bind(stub);
    return Object.assign(stub, {
      onFrame: (listener: FrameListener) => {
        listeners.set(address, [...(listeners.get(address) ?? []), listener]);
        return onFrame(listener);
      },
      send: (content: Frame, to: RuntimeAddress) => {
        frames.push(content);
        return isLost(content) ? Promise.resolve() : send(content, to);
      },
    });
  }

  async function start(address: RuntimeAddress, options: Partial<PartyOptions> = {}): Promise<Party> {
    const party = await createParty({ clock, address, protostub: watched(address), ...options });
    parties.push(party);
    return party;
  }

  /** Ends a life without a word, as a crash does. */
  async function crash(party: Party): Promise<void> {
    hub.disconnect(party.address);
    parties = parties.filter((other) => other !== party);
    await clock.until(party.runtime.stop({ drainMs: 0 }));
  }

  const noteAll = (from: Party, to: RuntimeAddress, numbers: readonly number[]): void => {
    for (const number of numbers) from.note(to, number);
  };
  const framesOf = <K extends Frame['kind']>(kind: K, from: RuntimeAddress): FrameOf<K>[] =>
    frames.filter((frame): frame is FrameOf<K> => frame.kind === kind && frame.from === from);
  /** Lets a frame arrive (again), as a message node may that had kept it. */
  const inject = (frame: Frame): void => {
    for (const listener of listeners.get(frame.to as RuntimeAddress) ?? [])
      listener(structuredClone(frame), frame.from as RuntimeAddress);
  };

  it('gives a slow receiver no more than the window, and holds the sender back', async () => {
    const release: (() => void)[] = [];
    let unhandled = 0;
    let most = 0;
    const handle = async (): Promise<void> => {
      most = Math.max(most, ++unhandled);
      await new Promise<void>((resolve) => release.push(resolve));
      unhandled -= 1;
    };
    const [a, b] = [await start(alice), await start(bob, { links: { windowEnvelopes: 8 }, onNote: handle })];
    noteAll(a, bob, upTo(50));
    await clock.advance(60_000);
    assert.equal(unhandled, 8);
    const [{ waiting, unacknowledged } = assert.fail()] = a.runtime.inspect().links;
    assert.equal(waiting - unacknowledged, 42);
    while (release.length > 0) {
      release.shift()?.();
      await clock.advance(2000);
    }
    assert.deepEqual(b.received, upTo(50));
    assert.equal(most, 8);
    assert.equal(a.waiting(), 0);
  });

  it('reports what a peer in a new life had not acknowledged, and goes on with the rest', async () => {
    const [a, b] = [
      await start(alice, { links: { windowEnvelopes: 8 } }),
      await start(bob, { links: { windowEnvelopes: 4 } }),
    ];
    noteAll(a, bob, [1]);
    await clock.advance(500);
    isLost = (frame) => frame.kind === 'data' && frame.from === alice;
    noteAll(a, bob, upTo(10).slice(1));
    await clock.advance(100);
    await crash(b);
    isLost = () => false;
    const again = await start(bob, { links: { windowEnvelopes: 4 } });
    await clock.advance(60_000);
    assert.deepEqual(
      a.undelivered.map(({ number }) => number),
      [2, 3, 4, 5],
    );
    assert.ok(a.undelivered.every(({ code, restarted }) => code === 'offline' && restarted));
    assert.deepEqual(again.received, [6, 7, 8, 9, 10]);
  });

  it('sends again, once, what a peer had not taken over when it closed in order', async () => {
    const [a, b] = [await start(alice), await start(bob)];
    noteAll(a, bob, [1, 2]);
    await clock.advance(500);
    isLost = (frame) => frame.kind === 'data' && frame.from === alice;
    noteAll(a, bob, [3, 4]);
    await clock.advance(100);
    parties = [a];
    await clock.until(b.runtime.stop({ drainMs: 0 }));
    isLost = () => false;
    const again = await start(bob);
    await clock.advance(60_000);
    assert.deepEqual([...b.received, ...again.received], [1, 2, 3, 4]);
    assert.deepEqual(a.undelivered, []);
  });

  it('delivers once what was taken over just before the peer closed, its acknowledgement lost', async () => {
    const [a, b] = [await start(alice), await start(bob)];
    noteAll(a, bob, [1]);
    await clock.advance(500);
    isLost = (frame) => frame.kind === 'data' && frame.from === bob;
    noteAll(a, bob, [2]);
    await clock.advance(50);
    parties = [a];
    await clock.until(b.runtime.stop({ drainMs: 0 }));
    isLost = () => false;
    const again = await start(bob);
    await clock.advance(60_000);
    assert.deepEqual([...b.received, ...again.received], [1, 2]);
    assert.equal(a.waiting(), 0);
  });

  it('changes nothing for hellos, data and byes of an earlier life', async () => {
    const [a, b] = [await start(alice), await start(bob)];
    noteAll(a, bob, [1]);
    noteAll(b, alice, [1]);
    await clock.advance(500);
    await crash(b);
    const stale = frames.filter(({ from }) => from === bob);
    const again = await start(bob);
    noteAll(again, alice, [2]);
    await clock.advance(500);
    const live = [...a.received];
    for (const frame of stale) inject(frame);
    await clock.advance(5000);
    assert.deepEqual(a.received, live);
    assert.deepEqual(a.undelivered, []);
  });

  it('loses nothing to a hello of an earlier life that comes before the one of the present life', async () => {
    const b = await start(bob);
    noteAll(b, alice, [1]);
    await clock.advance(500);
    const earlier: Frame = { kind: 'hello', from: bob, to: alice, epoch: 'e'.repeat(32), time: clock.now(), capabilities: [], limit: 64, versions: [1] }; // prettier-ignore
    const a = await start(alice);
    a.runtime.deadLetters.onLetter(() => assert.fail('a letter was lost'));
    a.note(bob, 1);
    inject(earlier);
    await clock.advance(20_000);
    assert.deepEqual(b.received, [1]);
    assert.deepEqual(a.received, [1]);
  });

  it('does not take the time that a hello lay at a homeserver for a difference of clocks', async () => {
    const [a, b] = [await start(alice), await start(bob)];
    isLost = ({ kind }) => kind === 'hello';
    noteAll(a, bob, [1]);
    await clock.advance(100);
    const [hello] = framesOf('hello', alice);
    assert.ok(hello);
    await clock.advance(3_000_000);
    isLost = () => false;
    inject(hello);
    await clock.settle();
    const skews = [a, b].map(({ runtime }) => runtime.inspect().links[0]?.skewMs ?? 0);
    assert.deepEqual(skews, [0, 0]);
  });

  it('fails what waits as unsupported when the peer speaks no version of ours', async () => {
    const a = await start(alice);
    const peer = hub.protostub(bob);
    peer.onFrame((content) => {
      const frame = content as Frame;
      const ends = { from: bob, to: alice };
      if (frame.kind === 'locate')
        void peer.send(
          { kind: 'located', ...ends, id: frame.id, address: frame.address, found: true },
          alice,
        );
      if (frame.kind === 'hello')
        void peer.send({ kind: 'refuse', ...ends, peerEpoch: frame.epoch, versions: [99] }, alice);
    });
    await peer.start();
    noteAll(a, bob, [1]);
    await clock.advance(1000);
    assert.deepEqual(
      a.undelivered.map(({ code }) => code),
      ['unsupported'],
    );
    assert.equal(framesOf('hello', alice).length, 1);
  });
});
