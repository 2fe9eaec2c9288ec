/** Pipelines: stages in order, envelopes in order, refusals that concern nobody else. */
import assert from 'node:assert/strict';
import type { Envelope, Stage } from '@hyperty/runtime';
import fc from 'fast-check';
import { Pipeline } from '../../../../runtime/src/bus/pipeline.ts';
import { alice, bob } from '../../../support/envelope.ts';

const envelopeOf = (body?: unknown): Envelope => ({ id: 'one', from: alice, to: bob, type: 'event', body });

const mark =
  (letter: string): Stage =>
  (envelope) => ({ ...envelope, body: `${String(envelope.body)}${letter}` });
const later =
  (stage: Stage): Stage =>
  async (envelope) => {
    await Promise.resolve();
    return stage(envelope);
  };
const refuse: Stage = () => {
  throw new TypeError('refused');
};

describe('a pipeline', () => {
  it('passes an envelope on at once when it has no stages', () => {
    const envelope = envelopeOf();
    const left: Envelope[] = [];
    assert.equal(
      new Pipeline().run(envelope, (passed) => void left.push(passed)),
      undefined,
    );
    assert.equal(left[0], envelope);
  });

  it('runs stages in the order of their adding, and none that was removed', () => {
    const pipeline = new Pipeline();
    pipeline.use(mark('a'));
    const remove = pipeline.use(mark('b'));
    pipeline.use(mark('c'));
    assert.equal(bodyThrough(pipeline), '>abc');
    remove();
    remove();
    assert.equal(bodyThrough(pipeline), '>ac');
  });

  it('gives back what the exit gives back, also behind an asynchronous stage', async () => {
    const pipeline = new Pipeline();
    let isHandled = false;
    const slow = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      isHandled = true;
    };
    pipeline.use(later(mark('a')));
    await pipeline.run(envelopeOf(), slow);
    assert.ok(isHandled);
  });

  it('throws what a stage throws, or rejects with it, and calls no later stage', async () => {
    const pipeline = new Pipeline();
    pipeline.use(refuse);
    pipeline.use(() => assert.fail('it came through'));
    assert.throws(() => pipeline.run(envelopeOf(), () => undefined), TypeError);
    const slow = new Pipeline();
    slow.use(later(refuse));
    slow.use(() => assert.fail('it came through'));
    await assert.rejects(async () => slow.run(envelopeOf(), () => undefined), TypeError);
  });

  it('goes on behind a refusal', async () => {
    const pipeline = new Pipeline();
    pipeline.use(later((envelope) => (envelope.body === 1 ? refuse(envelope) : envelope)));
    const left: unknown[] = [];
    const runs = [0, 1, 2].map(async (body) =>
      pipeline.run(envelopeOf(body), (passed) => void left.push(passed.body)),
    );
    const outcomes = await Promise.allSettled(runs);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(left, [0, 2]);
  });

  it('does not wait for an exit that takes its time', async () => {
    const pipeline = new Pipeline();
    pipeline.use(later(mark('a')));
    const never = new Promise<void>(() => undefined);
    void pipeline.run(envelopeOf(), () => never);
    const left: unknown[] = [];
    await pipeline.run(envelopeOf(), (passed) => void left.push(passed.body));
    assert.equal(left.length, 1);
  });

  it('keeps the order of envelopes, however long each stays in a stage', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 40 }), async (turns) => {
        const pipeline = new Pipeline();
        pipeline.use((envelope) => {
          const wait = turns[envelope.body as number] ?? 0;
          return wait === 0 ? envelope : afterTurns(wait, envelope);
        });
        pipeline.use(mark('x'));
        const left: unknown[] = [];
        await Promise.all(
          turns.map(async (_, body) =>
            pipeline.run(envelopeOf(body), (passed) => void left.push(passed.body)),
          ),
        );
        assert.deepEqual(
          left,
          turns.map((_, body) => `${body}x`),
        );
      }),
    );
  });
});

function bodyThrough(pipeline: Pipeline): unknown {
  let body: unknown;
  void pipeline.run(envelopeOf('>'), (passed) => void (body = passed.body));
  return body;
}

async function afterTurns(turns: number, envelope: Envelope): Promise<Envelope> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
  return envelope;
}
