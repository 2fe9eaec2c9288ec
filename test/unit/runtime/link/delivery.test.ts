/** Delivery: what has been taken over, which is acknowledged, and what has been handled, which makes room. */
import assert from 'node:assert/strict';
import { runtimeAddress, type Envelope } from '@hyperty/runtime';
import { createManualClock } from '@hyperty/runtime/testing';
import type { Reception } from '../../../../runtime/src/bus/endpoint.ts';
import { Delivery } from '../../../../runtime/src/link/delivery.ts';
import { envelopeOf } from '../../../support/envelope.ts';
import { upTo } from '../../../support/party.ts';

/** What the receiver makes of one envelope. */
interface Arrival {
  readonly envelope: Envelope;
  readonly isRepeat: boolean;
  keep(): void;
  handle(): void;
}

describe('a delivery', () => {
  let arrivals: Arrival[];
  let progress: number;
  /** How an envelope is received, by its id. */
  let modes: Map<string, 'at once' | 'kept later' | 'kept at once'>;
  let delivery: Delivery;

  const deliver = (envelope: Envelope, isRepeat: boolean): Reception | undefined => {
    const [kept, handled] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    arrivals.push({
      envelope,
      isRepeat,
      keep: () => {
        kept.resolve(undefined);
      },
      handle: () => {
        handled.resolve(undefined);
      },
    });
    const mode = modes.get(envelope.id) ?? 'kept later';
    if (mode === 'at once') return undefined;
    return mode === 'kept at once'
      ? { handled: handled.promise }
      : { kept: kept.promise, handled: handled.promise };
  };

  beforeEach(() => {
    arrivals = [];
    progress = 0;
    modes = new Map();
    delivery = new Delivery({
      self: runtimeAddress({ domain: 'partner.example', owner: 'bob', device: 'DESK' }),
      peer: runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'DESK' }),
      clock: createManualClock(),
      maxBodyBytes: 1000,
      media: () => [],
      skewMs: () => 0,
      deliver,
      refuse: () => assert.fail('it was refused'),
      reject: (error) => assert.fail(error),
      progress: () => void (progress += 1),
    });
  });

  const push = (...numbers: number[]): void => {
    delivery.push(numbers.map((number) => ({ number, entry: { ...envelopeOf({ id: String(number) }) } })));
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('acknowledges what was handled at once', () => {
    for (const number of upTo(3)) modes.set(String(number), 'at once');
    push(1, 2, 3);
    assert.deepEqual([delivery.delivered, delivery.settled, delivery.inProgress], [3, 3, 0]);
  });

  it('acknowledges only up to the first that is not kept, and on when it is', async () => {
    modes.set('2', 'at once');
    push(1, 2, 3);
    assert.equal(delivery.delivered, 0);
    arrivals[2]?.keep();
    await settle();
    assert.equal(delivery.delivered, 0);
    arrivals[0]?.keep();
    await settle();
    assert.equal(delivery.delivered, 3);
    assert.equal(progress, 2);
  });

  it('makes room for what has been handled, not for what has only been kept', async () => {
    push(1, 2);
    assert.equal(delivery.settled, 0);
    arrivals[0]?.keep();
    await settle();
    assert.equal(delivery.settled, 0);
    arrivals[0]?.handle();
    await settle();
    assert.equal(delivery.settled, 1);
  });

  it('makes no room for what is not kept, though it be handled', async () => {
    push(1, 2);
    for (const arrival of arrivals) arrival.handle();
    await settle();
    assert.deepEqual([delivery.inProgress, delivery.settled, delivery.delivered], [0, 0, 0]);
  });

  it('acknowledges at once what is only handled later', () => {
    modes.set('1', 'kept at once');
    push(1);
    assert.deepEqual([delivery.delivered, delivery.inProgress], [1, 1]);
  });

  it('tells a repeat by its mark, which does not get into the envelope', () => {
    const entries = [{ again: true }, { again: 'yes' }, {}];
    delivery.push(entries.map((mark, index) => ({ number: index + 1, entry: { ...envelopeOf(), ...mark } })));
    assert.deepEqual(
      arrivals.map(({ isRepeat }) => isRepeat),
      [true, false, false],
    );
    for (const { envelope } of arrivals) assert.deepEqual(envelope, envelopeOf());
  });

  it('says nothing more of what is kept after its end', async () => {
    push(1);
    delivery.stop();
    arrivals[0]?.keep();
    await settle();
    assert.equal(progress, 0);
  });
});
