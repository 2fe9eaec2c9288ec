/** Requests: exactly one outcome each, whatever comes, and in whatever order. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FabricError, type Envelope } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { Requests } from '../../../../runtime/src/bus/requests.ts';
import { errorBody, valueBody } from '../../../../runtime/src/message/envelope.ts';
import { envelopeOf, alice, bob, carol } from '../../../support/envelope.ts';

const question = (id: string, deadline: number): Envelope => envelopeOf({ id, type: 'execute', deadline });
const answer = (re: string, body: unknown, from = bob): Envelope =>
  envelopeOf({ id: `answer-to-${re}`, from, to: alice, type: 'response', re, body });
const codeOf = (caught: unknown): string => FabricError.from(caught).code;

type Happening =
  'value' | 'error' | 'provisional' | 'malformed' | 'stranger' | 'abort' | 'deadline' | 'undeliverable';
const happenings: readonly Happening[] = [
  'value',
  'error',
  'provisional',
  'malformed',
  'stranger',
  'abort',
  'deadline',
  'undeliverable',
];

describe('requests', () => {
  let clock: ManualClock;
  let requests: Requests;
  let reason: FabricError | undefined;
  let withdrawn: string[];

  const start = (): void => {
    clock = createManualClock();
    reason = undefined;
    withdrawn = [];
    requests = new Requests(clock, ({ id }) => {
      withdrawn.push(id);
      return reason;
    });
  };
  beforeEach(start);

  const soon = (): number => clock.now() + 1000;

  it('end exactly once, and leave no timer, under any interleaving', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...happenings), { maxLength: 12 }), async (order) => {
        start();
        const controller = new AbortController();
        const outcomes: string[] = [];
        const outcome = requests.open(question('q', soon()), { signal: controller.signal });
        outcome.then(
          () => outcomes.push('value'),
          (caught: unknown) => outcomes.push(codeOf(caught)),
        );
        for (const happening of order) await happen(happening, controller);
        await clock.advance(5000);
        assert.deepEqual(outcomes, [expected(order)]);
        assert.equal(requests.pending, 0);
        assert.equal(clock.pending, 0);
      }),
      { seed: 20261124 },
    );
  });

  async function happen(happening: Happening, controller: AbortController): Promise<void> {
    if (happening === 'value') requests.settle(answer('q', valueBody(1)));
    if (happening === 'error') requests.settle(answer('q', errorBody(new FabricError('conflict', 'Taken.'))));
    if (happening === 'provisional') requests.settle(answer('q', valueBody('half', 102)));
    if (happening === 'malformed') requests.settle(answer('q', 'no body of a response'));
    if (happening === 'stranger') requests.settle(answer('q', valueBody(2), carol));
    if (happening === 'abort') controller.abort();
    if (happening === 'deadline') await clock.advance(1000);
    if (happening === 'undeliverable') requests.fail('q', new FabricError('no-route', 'No road.'));
  }

  /** The first happening that ends a request decides. */
  function expected(order: readonly Happening[]): string {
    const codes: Partial<Record<Happening, string>> = {
      value: 'value',
      error: 'conflict',
      malformed: 'invalid',
      abort: 'cancelled',
      deadline: 'timeout',
      undeliverable: 'no-route',
    };
    return order.map((happening) => codes[happening]).find((code) => code !== undefined) ?? 'timeout';
  }

  it('resolve with the value of the answer', async () => {
    const outcome = requests.open(question('q', soon()), {});
    assert.equal(requests.settle(answer('q', valueBody({ sum: 3 }))), true);
    assert.deepEqual(await outcome, { sum: 3 });
  });

  it('do not take an answer from somebody else', async () => {
    const outcome = requests.open(question('q', soon()), {});
    assert.equal(requests.settle(answer('q', valueBody('forged'), carol)), false);
    requests.settle(answer('q', valueBody('true')));
    assert.equal(await outcome, 'true');
  });

  it('hand on provisional answers before the outcome, and none after it', async () => {
    const provisional: unknown[] = [];
    const outcome = requests.open(question('q', soon()), {
      onProvisional: (value) => provisional.push(value),
    });
    requests.settle(answer('q', valueBody('half', 102)));
    requests.settle(answer('q', valueBody('whole')));
    assert.equal(requests.settle(answer('q', valueBody('late', 102))), false);
    assert.equal(await outcome, 'whole');
    assert.deepEqual(provisional, ['half']);
  });

  it('tell of an answer that comes too late', async () => {
    const outcome = requests.open(question('q', soon()), {});
    outcome.catch(() => undefined);
    await clock.advance(1000);
    assert.equal(requests.settle(answer('q', valueBody(1))), false);
    await assert.rejects(outcome, (error) => codeOf(error) === 'timeout');
  });

  it('end at the deadline with the reason that the transport knows', async () => {
    reason = new FabricError('offline', 'Bob is off.');
    const outcome = requests.open(question('q', soon()), {});
    outcome.catch(() => undefined);
    await clock.advance(1000);
    await assert.rejects(outcome, (error) => error === reason);
    assert.deepEqual(withdrawn, ['q']);
  });

  it('are withdrawn from the transport when their caller gives up', async () => {
    const controller = new AbortController();
    const outcome = requests.open(question('q', soon()), { signal: controller.signal });
    controller.abort();
    await assert.rejects(outcome, (error) => codeOf(error) === 'cancelled');
    assert.deepEqual(withdrawn, ['q']);
  });

  it('are refused at once when their signal has been aborted before', async () => {
    const outcome = requests.open(question('q', soon()), { signal: AbortSignal.abort() });
    await assert.rejects(outcome, (error) => codeOf(error) === 'cancelled');
    assert.equal(requests.pending, 0);
    assert.equal(clock.pending, 0);
  });

  it('hand updates of the peer, and of nobody else, to their stream until it ends', async () => {
    const updates: unknown[] = [];
    const outcome = requests.open(question('q', soon()), { onUpdate: ({ body }) => updates.push(body) });
    const update = (body: unknown, from = bob): boolean =>
      requests.settle(envelopeOf({ id: 'u', from, to: alice, type: 'update', re: 'q', body }));
    requests.settle(answer('q', valueBody(null)));
    await outcome;
    assert.equal(update(1), true);
    assert.equal(update('forged', carol), false);
    requests.endStream('q');
    assert.equal(update(2), false);
    assert.deepEqual(updates, [1]);
  });

  it('lose their stream with a failure', async () => {
    const outcome = requests.open(question('q', soon()), { onUpdate: () => assert.fail('nobody listens') });
    outcome.catch(() => undefined);
    requests.settle(answer('q', errorBody(new FabricError('forbidden', 'No.'))));
    assert.equal(
      requests.settle(envelopeOf({ id: 'u', from: bob, to: alice, type: 'update', re: 'q' })),
      false,
    );
    await assert.rejects(outcome);
  });

  it('all end with the error of a stop', async () => {
    const outcomes = ['a', 'b'].map((id) => requests.open(question(id, soon()), {}));
    requests.failAll(new FabricError('closed', 'Stopped.'));
    const results = await Promise.allSettled(outcomes);
    assert.deepEqual(
      results.map((result) => result.status === 'rejected' && codeOf(result.reason)),
      ['closed', 'closed'],
    );
    assert.equal(clock.pending, 0);
  });
});
