/** The outbox: numbers without gaps, batches that fit, nothing forgotten. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeBody } from '../../../../runtime/src/link/entry.ts';
import { needsSpill, Outbox, type OutboxItem } from '../../../../runtime/src/link/outbox.ts';
import { envelopeOf } from '../../../support/envelope.ts';
import { upTo } from '../../../support/party.ts';

const NEVER = Number.MAX_SAFE_INTEGER;
const MAX_BYTES = 1000;

const idsOf = (items: readonly OutboxItem[]): string[] => items.map(({ encoded }) => encoded.envelope.id);

describe('an outbox', () => {
  let outbox: Outbox;
  beforeEach(() => {
    outbox = new Outbox();
  });

  const add = (id: string, { expiresAt = NEVER, body = '' } = {}): void => {
    outbox.add(encodeBody(envelopeOf({ id, body }), 100_000), expiresAt);
  };
  const addAll = (...ids: string[]): void => {
    for (const id of ids) add(id);
  };
  const take = (limit = 100, maxBytes = MAX_BYTES): string[] =>
    idsOf(outbox.take(limit, maxBytes, 0)?.items ?? []);

  it('gives consecutive numbers, up to the credit', () => {
    addAll('a', 'b', 'c');
    assert.deepEqual(take(2), ['a', 'b']);
    assert.equal(outbox.lastNumber, 2);
    assert.deepEqual(take(2), []);
    assert.equal(outbox.take(3, MAX_BYTES, 0)?.first, 3);
  });

  it('fills a frame, and no more, whatever the sizes', () => {
    const sizes = fc.array(fc.nat(2000), { maxLength: 30 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        outbox = new Outbox();
        for (const [index, length] of lengths.entries()) add(String(index), { body: '"'.repeat(length) });
        const sent: string[] = [];
        for (let next = outbox.peek(NEVER); next; next = outbox.peek(NEVER)) {
          if (needsSpill(next.encoded, MAX_BYTES))
            next.encoded = {
              ...next.encoded,
              spill: { uri: 'memory://acme.example/1', sha256: '', bytes: 1 },
            };
          const batch = outbox.take(NEVER, MAX_BYTES, 0);
          assert.ok(batch);
          assert.ok(Buffer.byteLength(JSON.stringify(batch.entries)) - 2 <= MAX_BYTES);
          assert.equal(batch.first, sent.length + 1);
          sent.push(...idsOf(batch.items));
        }
        assert.deepEqual(
          sent,
          lengths.map((_, index) => String(index)),
        );
      }),
      { seed: 20261124 },
    );
  });

  it('keeps what was sent until it is acknowledged, and sends it again with its number', () => {
    addAll('a', 'b', 'c');
    take();
    assert.deepEqual(idsOf(outbox.acknowledge(1)), ['a']);
    outbox.rewind();
    const batch = outbox.take(100, MAX_BYTES, 0);
    assert.equal(batch?.first, 2);
    assert.deepEqual(idsOf(batch.items), ['b', 'c']);
    assert.deepEqual(
      batch.items.map(({ repeated }) => repeated),
      [true, true],
    );
  });

  it('ignores acknowledgements that are old, or of what was never sent', () => {
    addAll('a', 'b');
    take(1);
    assert.deepEqual(outbox.acknowledge(2), []);
    assert.deepEqual(outbox.acknowledge(0), []);
    assert.deepEqual(idsOf(outbox.acknowledge(1)), ['a']);
    assert.deepEqual(outbox.acknowledge(1), []);
    assert.equal(outbox.size, 1);
  });

  it('leaves no gap for what is withdrawn before it was sent', () => {
    addAll('a', 'b', 'c');
    take(1);
    assert.equal(outbox.withdraw('b'), 'unsent');
    const batch = outbox.take(100, MAX_BYTES, 0);
    assert.equal(batch?.first, 2);
    assert.deepEqual(idsOf(batch.items), ['c']);
  });

  it('still sends again what is withdrawn after it was sent: the peer waits for its number', () => {
    addAll('a', 'b');
    take();
    assert.equal(outbox.withdraw('a'), 'unacknowledged');
    outbox.rewind();
    assert.deepEqual(take(), ['a', 'b']);
  });

  it('says gone of what was taken over', () => {
    add('a');
    take();
    outbox.acknowledge(1);
    assert.equal(outbox.withdraw('a'), 'gone');
    assert.equal(outbox.withdraw('unknown'), 'gone');
  });

  it('gives up what has expired, once, and keeps the numbers of what was sent', () => {
    add('sent', { expiresAt: 5 });
    add('unsent', { expiresAt: 5 });
    add('later', { expiresAt: 50 });
    take(1);
    assert.deepEqual(idsOf(outbox.expire(10)), ['sent', 'unsent']);
    assert.deepEqual(outbox.expire(10), []);
    assert.equal(outbox.isForsaken, true);
    outbox.rewind();
    assert.deepEqual(take(), ['sent', 'later']);
    assert.equal(outbox.isForsaken, false);
  });

  it('names what was sent, and numbers the rest anew, for a peer in a new life', () => {
    addAll('a', 'b', 'c', 'd');
    take(3);
    outbox.acknowledge(1);
    outbox.withdraw('b');
    assert.deepEqual(idsOf(outbox.restart({ again: false })), ['c']);
    const batch = outbox.take(100, MAX_BYTES, 0);
    assert.equal(batch?.first, 1);
    assert.deepEqual(idsOf(batch.items), ['d']);
  });

  it('sends everything again that a peer had not taken over when it closed', () => {
    addAll('a', 'b', 'c');
    take(2);
    outbox.renumber(1);
    const batch = outbox.take(100, MAX_BYTES, 0);
    assert.equal(batch?.first, 1);
    assert.deepEqual(idsOf(batch.items), ['b', 'c']);
    assert.deepEqual(idsOf(outbox.acknowledge(2)), ['b', 'c']);
  });

  it('returns everything that anybody waits for when it is cleared', () => {
    addAll('a', 'b', 'c');
    take(1);
    outbox.withdraw('c');
    assert.deepEqual(idsOf(outbox.clear()), ['a', 'b']);
    assert.equal(outbox.size, 0);
  });

  it('sends each once and in order, whatever happens in between', () => {
    const step = fc.oneof(
      fc.constant({ kind: 'add' as const }),
      fc.record({ kind: fc.constant('take' as const), credit: fc.nat(5) }),
      fc.record({ kind: fc.constant('acknowledge' as const), part: fc.nat(4) }),
      fc.constant({ kind: 'rewind' as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        outbox = new Outbox();
        let added = 0;
        let acknowledged = 0;
        const arrived = new Map<number, string>();
        for (const step of steps) {
          if (step.kind === 'add') add(String((added += 1)));
          if (step.kind === 'rewind') outbox.rewind();
          if (step.kind === 'acknowledge') {
            acknowledged = Math.min(outbox.lastNumber, acknowledged + step.part);
            outbox.acknowledge(acknowledged);
          }
          if (step.kind === 'take') {
            const batch = outbox.take(acknowledged + step.credit, MAX_BYTES, 0);
            for (const [index, id] of idsOf(batch?.items ?? []).entries()) {
              const number = (batch?.first ?? 0) + index;
              assert.ok(number <= acknowledged + step.credit);
              assert.equal(arrived.get(number) ?? id, id);
              arrived.set(number, id);
            }
          }
        }
        assert.deepEqual([...arrived.values()], upTo(arrived.size).map(String));
        assert.equal(outbox.size, added - acknowledged);
      }),
      { seed: 20261124 },
    );
  });
});
