/** Cases about starting, stopping, states and listeners. */
import type { ContractCase } from '../contract-case.ts';
import type { ProtostubState } from '../../protostub/protostub.ts';
import { contractCase, frameOf, type ProtostubSetup, type Stage } from './stub-case.ts';
import { expectEqual, expectRefusal, expectTrue } from '../expectation.ts';

/** How a stub starts, ends, and says so. */
export const controlCases = (setup: ProtostubSetup): readonly ContractCase[] => [
  contractCase(setup, 'is closed before its start and live after it', (stage) => startsLive(setup, stage)),
  contractCase(setup, 'starts once, however often it is asked', (stage) => startsOnce(setup, stage)),
  contractCase(setup, 'stops once, however often it is asked, and is closed then', stopsOnce),
  contractCase(setup, 'goes through connecting to live, and ends closed', (stage) => states(setup, stage)),
  contractCase(setup, 'stops calling a state listener that was removed', stateUndo),
  contractCase(setup, 'stops calling a frame listener that was removed', frameUndo),
  contractCase(setup, 'refuses to send while it is closed', refusesClosed),
  contractCase(setup, 'names an address of its owner, and reaches runtimes of other domains', namesItself),
];

async function startsLive({ create }: ProtostubSetup, { start }: Stage): Promise<void> {
  const idle = await create('alice');
  expectEqual(idle.state, 'closed', 'the state before the start');
  const alice = await start('alice');
  expectEqual(alice.state, 'live', 'the state after the start');
}

async function startsOnce({ create }: ProtostubSetup, { start, listen }: Stage): Promise<void> {
  const alice = await create('alice');
  try {
    await Promise.all([alice.start(), alice.start()]);
    await alice.start();
    expectEqual(alice.state, 'live', 'the state after three starts');
    const received = listen(alice);
    const bob = await start('bob');
    await bob.send(frameOf({ n: 1 }), alice.address);
    await bob.send(frameOf({ n: 2 }), alice.address);
    await received.count(2);
    expectEqual(received.frames.length, 2, 'frames after three starts');
  } finally {
    await alice.stop();
  }
}

async function stopsOnce({ start }: Stage): Promise<void> {
  const alice = await start('alice');
  await Promise.all([alice.stop(), alice.stop()]);
  await alice.stop();
  expectEqual(alice.state, 'closed', 'the state after three stops');
}

async function states({ create }: ProtostubSetup, _stage: Stage): Promise<void> {
  const alice = await create('alice');
  const seen: ProtostubState[] = [];
  const undo = alice.onState((state) => {
    expectEqual(alice.state, state, 'the state that a listener sees');
    seen.push(state);
  });
  await alice.start();
  expectEqual(seen, ['connecting', 'live'], 'the states of a start');
  await alice.stop();
  expectEqual(seen.at(-1), 'closed', 'the last state');
  expectEqual(seen.filter((state) => state === 'closed').length, 1, 'how often it closed');
  undo();
}

async function stateUndo({ start }: Stage): Promise<void> {
  const alice = await start('alice');
  let removed = 0;
  let kept = 0;
  const undo = alice.onState(() => (removed += 1));
  alice.onState(() => (kept += 1));
  undo();
  undo();
  await alice.stop();
  expectEqual(removed, 0, 'calls of a removed listener');
  expectTrue(kept > 0, 'the other listener is still called');
}

async function frameUndo({ start, listen }: Stage): Promise<void> {
  const alice = await start('alice');
  const bob = await start('bob');
  const removed = listen(bob);
  const kept = listen(bob);
  removed.undo();
  await alice.send(frameOf({ n: 1 }), bob.address);
  await kept.count(1);
  expectEqual(removed.frames.length, 0, 'frames of a removed listener');
}

async function refusesClosed({ start }: Stage): Promise<void> {
  const alice = await start('alice');
  const bob = await start('bob');
  await alice.stop();
  await expectRefusal(alice.send(frameOf({}), bob.address), ['closed', 'offline'], 'sending while closed');
}

async function namesItself({ start }: Stage): Promise<void> {
  const alice = await start('alice');
  const other = await start('alice');
  const bob = await start('bob');
  expectTrue(alice.address.startsWith('runtime://'), `"${alice.address}" is a runtime's address`);
  expectTrue(alice.address !== other.address, 'two devices have two addresses');
  expectTrue(alice.reaches(bob.address), 'it reaches a runtime of another domain');
  expectTrue(alice.name !== '', 'it has a name');
}
