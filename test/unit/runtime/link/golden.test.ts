/** Frames as the golden files have them: every valid one is understood, and what we write is that to the last byte. */
import assert from 'node:assert/strict';
import {
  createMemoryHub,
  createRuntime,
  decodeEnvelope,
  FabricError,
  silentLogger,
  type Clock,
  type Envelope,
  type MemoryHub,
  type Protostub,
  type Runtime,
  type RuntimeAddress,
} from '@hyperty/runtime';
import { greeter } from '../../../../examples/hello/greeter.ts';
import { decodeEntries, encodeBody, encodeEntry, type Encoded } from '../../../../runtime/src/link/entry.ts';
import { decodeFrame, frameSchema, type Frame, type FrameOf } from '../../../../runtime/src/link/frame.ts';
import { goldenExample, goldenFiles, type GoldenEnvelope } from '../../../support/golden.ts';

const files = goldenFiles('frame-');

describe('frames in golden files', () => {
  for (const { file, valid, invalid } of files) {
    describe(file, () => {
      for (const { name, value, decoded, envelopes } of valid) {
        it(`decodes ${name}, unknown fields dropped`, () => {
          assert.deepEqual(decodeFrame(value), decoded ?? value);
        });

        if (envelopes) {
          it(`reads the entries of ${name}`, () => {
            assert.deepEqual(entriesOf(value).map(decodeEnvelope), envelopes);
          });

          it(`writes the entries of ${name} to the last byte`, () => {
            assert.equal(encodeEntries(envelopes), (value as FrameOf<'data'>).entries);
          });
        }
      }

      for (const { name, value, code, says } of invalid) {
        it(`refuses ${name} as ${code}`, () => {
          assert.throws(
            () => entriesOf(value).map(decodeEnvelope),
            (error) => error instanceof FabricError && error.code === code && error.message.includes(says),
          );
        });
      }
    });
  }

  it('have an example of every kind', () => {
    const kinds = files.flatMap(({ valid }) => valid.map(({ value }) => (value as Frame).kind));
    assert.deepEqual(
      new Set(kinds),
      new Set(frameSchema.options.flatMap(({ shape }) => [...shape.kind.values])),
    );
  });
});

describe('what runtimes put on the wire', () => {
  const NOON = Date.UTC(2026, 10, 24, 12);
  const clock: Clock = { now: () => NOON, setTimeout: () => 0, clearTimeout: () => undefined };
  const alice = exampleOf<'hello'>('hello').from as RuntimeAddress;
  const bob = exampleOf<'welcome'>('welcome').from as RuntimeAddress;
  let hub: MemoryHub;
  let frames: unknown[];

  beforeEach(() => {
    hub = createMemoryHub({ clock });
    frames = [];
  });

  const plug = (address: RuntimeAddress): Protostub => {
    const protostub = hub.protostub(address);
    protostub.onFrame((frame) => frames.push(frame));
    return protostub;
  };
  const run = async (address: RuntimeAddress, randomByte: number): Promise<Runtime> => {
    const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(randomByte);
    const runtime = createRuntime({ protostubs: [plug(address)], clock, random, logger: silentLogger });
    await runtime.start();
    return runtime;
  };

  it('is that of the golden files to the last byte, when one asks another and that one stops', async () => {
    const [asker, answerer] = [await run(alice, 0xa1), await run(bob, 0xb2)];
    await asker.ask(answerer.host(greeter).peer, { type: 'greet', name: 'Alice' });
    await answerer.stop({ drainMs: 0 });
    await asker.stop({ drainMs: 0 });
    const expected = ['locate', 'located', 'hello', 'welcome', 'data', 'data-answer', 'bye'].map(exampleOf);
    assert.deepEqual(
      frames.map((frame) => JSON.stringify(frame)),
      expected.map((frame) => JSON.stringify(frame)),
    );
  });

  it('is a refuse to the last byte, when a peer speaks none of our versions', async () => {
    const stranger = plug(alice);
    await stranger.start();
    const answerer = await run(bob, 0xb2);
    await stranger.send({ ...exampleOf('hello'), versions: [9] }, bob);
    await new Promise(setImmediate);
    await answerer.stop({ drainMs: 0 });
    assert.equal(JSON.stringify(frames.at(-1)), JSON.stringify(exampleOf('refuse')));
  });
});

function exampleOf<K extends Frame['kind']>(name: string): FrameOf<K> {
  return goldenExample(name).value as FrameOf<K>;
}

function entriesOf(value: unknown): Record<string, unknown>[] {
  const frame = decodeFrame(value);
  return frame.kind === 'data' && frame.entries !== undefined ? decodeEntries(frame.entries) : [];
}

function encodeEntries(envelopes: readonly GoldenEnvelope[]): string {
  const encoded = envelopes.map(({ spill, again = false, ...envelope }): Encoded => {
    const written = { ...encodeBody(envelope as unknown as Envelope, 1_000_000), again };
    return spill ? { ...written, spill } : written;
  });
  return `[${encoded.map((one, index) => encodeEntry(one, encoded[index - 1]?.envelope)).join(',')}]`;
}
