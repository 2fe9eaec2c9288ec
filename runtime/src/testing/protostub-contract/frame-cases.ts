/** Cases about frames: unchanged, in order, to whom they are for, and from whom they say. */
import type { ContractCase } from '../contract-case.ts';
import { ownerOf, runtimeAddress, runtimeParts, type RuntimeAddress } from '../../message/address.ts';
import type { FrameContent, Protostub } from '../../protostub/protostub.ts';
import { contractCase, frameOf, type ProtostubSetup, type Stage } from './stub-case.ts';
import { expectEqual, expectRefusal, expectTrue } from '../expectation.ts';

const BURST = 200;

/** How a stub carries frames. */
export const frameCases = (setup: ProtostubSetup): readonly ContractCase[] => [
  contractCase(
    setup,
    'carries a frame unchanged: text of all scripts, nested JSON, numbers, null',
    unchanged,
  ),
  contractCase(setup, `keeps the order of ${BURST} frames to one peer`, inOrder),
  contractCase(setup, 'keeps the order of each of two peers that are sent to in turns', inOrderOfEach),
  contractCase(setup, 'reaches every device of an owner by the device *', toAllDevices),
  contractCase(setup, 'reaches the one device that a frame is for', toOneDevice),
  contractCase(setup, 'proves who sent a frame', provesSender),
  contractCase(setup, 'carries a frame of the largest size', largest),
  contractCase(setup, 'refuses a frame above the largest size, for good', tooLarge),
  contractCase(setup, 'goes on after a frame that it refused', goesOn),
];

async function unchanged({ start, listen }: Stage): Promise<void> {
  const alice = await start('alice');
  const bob = await start('bob');
  const received = listen(bob);
  const frames: FrameContent[] = [
    frameOf({ text: 'Grüße, 你好, مرحبا, 👩‍👩‍👧, \u0000 \u001f \u2028 "quoted" \\ back' }),
    frameOf({ nested: { list: [1, [2, [3, { deep: [null, true, false, ''] }]]], empty: {}, none: [] } }),
    frameOf({ zero: 0, negative: -1, large: Number.MAX_SAFE_INTEGER, '': 'empty key', 'a.b': 'dotted' }),
    // What the link writes: JSON as text inside JSON.
    frameOf({ entries: JSON.stringify([{ body: { text: 'naïve "quotes" \ud800', fraction: 0.1 } }]) }),
  ];
  for (const frame of frames) await alice.send(frame, bob.address);
  await received.count(frames.length);
  for (const [index, { frame }] of received.frames.entries())
    expectEqual(frame, frames[index], `frame ${index + 1}`);
}

const numbersOf = (frames: readonly { readonly frame: unknown }[]): unknown[] =>
  frames.map(({ frame }) => (frame as { n?: unknown }).n);

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

async function inOrder({ start, listen }: Stage): Promise<void> {
  const alice = await start('alice');
  const bob = await start('bob');
  const received = listen(bob);
  await Promise.all(upTo(BURST).map((n) => alice.send(frameOf({ n }), bob.address)));
  await received.count(BURST);
  expectEqual(numbersOf(received.frames), upTo(BURST), 'the order of frames');
}

async function inOrderOfEach({ start, listen }: Stage): Promise<void> {
  const alice = await start('alice');
  const peers = [await start('bob'), await start('bob')];
  const received = peers.map(listen);
  const each = 20;
  await Promise.all(
    upTo(each).flatMap((n) => peers.map(({ address }) => alice.send(frameOf({ n }), address))),
  );
  for (const one of received) {
    await one.count(each);
    expectEqual(numbersOf(one.frames), upTo(each), 'the order of frames to one of two peers');
  }
}

async function toAllDevices({ start, listen }: Stage): Promise<void> {
  const alice = await start('alice');
  const devices = [await start('bob'), await start('bob')];
  const received = devices.map(listen);
  await alice.send(frameOf({ n: 7 }), everyDeviceOf(devices[0] ?? alice));
  await Promise.all(received.map((one) => one.count(1)));
  for (const one of received) expectEqual(numbersOf(one.frames), [7], 'what each device received');
}

const everyDeviceOf = ({ address }: Protostub): RuntimeAddress =>
  runtimeAddress({ ...runtimeParts(address), device: '*' });

async function toOneDevice({ start, listen }: Stage): Promise<void> {
  const alice = await start('alice');
  const [first, second] = [await start('bob'), await start('bob')];
  const [toFirst, toSecond] = [listen(first), listen(second)];
  await alice.send(frameOf({ n: 1 }), first.address);
  await alice.send(frameOf({ n: 2 }), second.address);
  await Promise.all([toFirst.count(1), toSecond.count(1)]);
  expectEqual([toFirst.frames, toSecond.frames].map(numbersOf), [[1], [2]], 'what each device received');
}

async function provesSender({ start, listen }: Stage): Promise<void> {
  const alice = await start('alice');
  const bob = await start('bob');
  const received = listen(bob);
  // The content claims something else; only the transport's word counts.
  await alice.send(frameOf({ from: bob.address, sender: bob.address }), bob.address);
  await received.count(1);
  const sender = received.frames[0]?.sender ?? bob.address;
  expectEqual(ownerOf(sender), ownerOf(alice.address), 'the owner of the sender');
  expectTrue(
    sender === alice.address || runtimeParts(sender).device === '*',
    `${sender} is the sender or all devices of its owner`,
  );
}

/** A frame whose JSON text has `bytes` bytes of UTF-8. */
function frameOfBytes(bytes: number): FrameContent {
  const empty = JSON.stringify(frameOf({ fill: '' })).length;
  const room = bytes - empty;
  // Three bytes a letter, so that counting letters instead of bytes shows.
  return frameOf({ fill: '€'.repeat(Math.floor(room / 3)) + 'x'.repeat(room % 3) });
}

async function largest({ start, listen }: Stage): Promise<void> {
  const alice = await start('alice');
  const bob = await start('bob');
  const received = listen(bob);
  const frame = frameOfBytes(alice.maxFrameBytes);
  await alice.send(frame, bob.address);
  await received.count(1);
  expectEqual(received.frames[0]?.frame, frame, 'the largest frame');
}

async function tooLarge({ start }: Stage): Promise<void> {
  const alice = await start('alice');
  const bob = await start('bob');
  const sending = alice.send(frameOfBytes(alice.maxFrameBytes + 1), bob.address);
  const error = await expectRefusal(sending, ['too-large'], 'sending a frame above the largest size');
  expectTrue(!error.retryable, 'nobody tries it again');
}

async function goesOn({ start, listen }: Stage): Promise<void> {
  const alice = await start('alice');
  const bob = await start('bob');
  const received = listen(bob);
  const refused = alice.send(frameOfBytes(alice.maxFrameBytes + 1), bob.address);
  const taken = alice.send(frameOf({ n: 1 }), bob.address);
  await expectRefusal(refused, ['too-large'], 'sending a frame above the largest size');
  await taken;
  await received.count(1);
  expectEqual(numbersOf(received.frames), [1], 'what arrives behind a refused frame');
}
