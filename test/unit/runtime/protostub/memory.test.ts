/** The hub in memory, beyond the contract: faults, cut-off runtimes, and a stub that takes another's place. */
import assert from 'node:assert/strict';
import {
  createMemoryHub,
  runtimeAddress,
  type FrameFate,
  type MemoryHub,
  type Protostub,
} from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { refusedAs } from '../../../support/refused.ts';

const ALICE = runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'DESK' });
const BOB = runtimeAddress({ domain: 'partner.example', owner: 'bob', device: 'DESK' });

describe('a memory hub', () => {
  let clock: ManualClock;
  let hub: MemoryHub;
  let fates: FrameFate[];
  let alice: Protostub;
  let bob: Protostub;
  let received: unknown[];

  beforeEach(async () => {
    clock = createManualClock();
    fates = [];
    hub = createMemoryHub({ clock, faults: () => fates.shift() ?? { copies: 1, delayMs: 0 } });
    [alice, bob] = [hub.protostub(ALICE), hub.protostub(BOB)];
    await Promise.all([alice.start(), bob.start()]);
    received = [];
    bob.onFrame((frame) => received.push((frame as { n: number }).n));
  });

  const send = (n: number): Promise<void> => alice.send({ n }, BOB);

  it('loses, repeats and delays frames as its plan says', async () => {
    fates = [
      { copies: 0, delayMs: 0 },
      { copies: 2, delayMs: 0 },
      { copies: 1, delayMs: 50 },
      { copies: 1, delayMs: 20 },
    ];
    for (const n of [1, 2, 3, 4]) await send(n);
    await clock.settle();
    assert.deepEqual(received, [2, 2]);
    await clock.advance(50);
    assert.deepEqual(received, [2, 2, 4, 3]);
  });

  it('cuts a runtime off and takes it back, which its stub says', async () => {
    const states: string[] = [];
    alice.onState((state) => states.push(state));
    hub.disconnect(ALICE);
    await assert.rejects(send(1), refusedAs('offline', 'backing-off'));
    hub.reconnect(ALICE);
    await send(2);
    await clock.settle();
    assert.deepEqual([states, received], [['backing-off', 'live'], [2]]);
  });

  it('gives no frame to a runtime that is cut off when it arrives', async () => {
    fates = [{ copies: 1, delayMs: 100 }];
    await send(1);
    hub.disconnect(BOB);
    await clock.advance(100);
    hub.reconnect(BOB);
    await clock.settle();
    assert.deepEqual(received, []);
  });

  it('keeps the later of two stubs of one address when the earlier one stops', async () => {
    const later = hub.protostub(BOB);
    await later.start();
    later.onFrame((frame) => received.push(['later', (frame as { n: number }).n]));
    await bob.stop();
    await send(1);
    await clock.settle();
    assert.deepEqual(received, [['later', 1]]);
  });

  it('hands out what was sent, not what became of it', async () => {
    const frame = { n: 1, list: [1] };
    const sending = alice.send(frame, BOB);
    frame.list.push(2);
    const seen: unknown[] = [];
    bob.onFrame((got) => seen.push(got));
    await sending;
    await clock.settle();
    assert.deepEqual(seen, [{ n: 1, list: [1] }]);
  });

  it('forgets a frame for a runtime that is not there', async () => {
    await bob.stop();
    await send(1);
    await clock.settle();
    assert.deepEqual([received, clock.pending], [[], 0]);
  });
});
