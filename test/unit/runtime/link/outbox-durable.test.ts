/** The outbox and what outlives a session: durable envelopes, and repeats that the peer can tell. */
import assert from 'node:assert/strict';
import { decodeEntries, encodeBody } from '../../../../runtime/src/link/entry.ts';
import { Outbox, type OutboxItem } from '../../../../runtime/src/link/outbox.ts';
import { bob, carol, envelopeOf } from '../../../support/envelope.ts';
import { upTo } from '../../../support/party.ts';

const NEVER = Number.MAX_SAFE_INTEGER;
const MAX_BYTES = 1000;

const idsOf = (items: readonly OutboxItem[]): string[] => items.map(({ encoded }) => encoded.envelope.id);

describe('an outbox with durable envelopes', () => {
  let outbox: Outbox;
  let numbers: number;
  beforeEach(() => {
    outbox = new Outbox();
    numbers = 0;
  });

  const add = (id: string, expiresAt = NEVER): void => {
    outbox.add(encodeBody(envelopeOf({ id }), 100_000), expiresAt);
  };
  const addDurable = (id: string, { expiresAt = Infinity, to = bob } = {}): void => {
    const seq = { epoch: 'store-of-alice', token: 1, number: (numbers += 1) };
    outbox.add(encodeBody(envelopeOf({ id, to, seq }), 100_000), expiresAt);
  };
  const take = (limit = 100): string[] => idsOf(outbox.take(limit, MAX_BYTES, 0)?.items ?? []);

  it('keeps what is durable first in line for a peer in a new life, and names only the rest', () => {
    add('a');
    addDurable('b');
    add('c');
    addDurable('d');
    add('e');
    take(4);
    assert.deepEqual(idsOf(outbox.restart({ again: false })), ['a', 'c']);
    const batch = outbox.take(100, MAX_BYTES, 0);
    assert.equal(batch?.first, 1);
    assert.deepEqual(idsOf(batch.items), ['b', 'd', 'e']);
    assert.doesNotMatch(batch.entries, /again/);
  });

  it('keeps and marks all that was sent, and nothing else, for a peer that can tell repeats', () => {
    add('a');
    add('given up');
    addDurable('b');
    add('c');
    take(3);
    outbox.withdraw('given up');
    assert.deepEqual(outbox.restart({ again: true }), []);
    const { entries = '' } = outbox.take(100, MAX_BYTES, 0) ?? {};
    const marks = decodeEntries(entries).map(({ id, again }) => [id, again]);
    assert.deepEqual(marks, [
      ['a', true],
      ['b', undefined],
      ['c', undefined],
    ]);
  });

  it('keeps the mark of a repeat when its body is to be spilled anew', () => {
    add('a');
    take();
    outbox.restart({ again: true });
    const item = outbox.peek(1);
    assert.ok(item);
    item.encoded = { ...item.encoded, spill: { uri: 'memory://acme.example/1', sha256: '', bytes: 1 } };
    outbox.forgetSpills();
    assert.deepEqual([item.encoded.again, item.encoded.spill], [true, undefined]);
  });

  it('counts what is durable and not given up', () => {
    addDurable('a', { expiresAt: 5 });
    for (const id of ['b', 'c', 'd']) addDurable(id);
    add('e');
    take(2);
    assert.equal(outbox.durable, 4);
    outbox.expire(10);
    outbox.acknowledge(2);
    outbox.withdraw('d');
    assert.equal(outbox.durable, 1);
  });

  it('is forsaken when only what can be sent in another session is awaited, and something was given up', () => {
    addDurable('a');
    add('b', 5);
    take();
    assert.equal(outbox.isForsaken, false);
    outbox.expire(10);
    assert.equal(outbox.isForsaken, true);
    outbox.restart({ again: false });
    assert.equal(outbox.isForsaken, false);
    assert.deepEqual(take(), ['a']);
  });

  it('lets go at once of what is withdrawn before it was sent, so that it can be offered again and again', () => {
    for (let round = 0; round < 10; round += 1) {
      for (const id of upTo(100)) addDurable(String(id));
      for (const id of upTo(100)) outbox.withdraw(String(id));
    }
    assert.equal(outbox.size, 0);
  });

  it('can withdraw what was offered again while its first copy is still unacknowledged', () => {
    addDurable('a');
    take();
    outbox.withdraw('a');
    addDurable('a');
    outbox.acknowledge(1);
    assert.equal(outbox.withdraw('a'), 'unsent');
  });

  it('gives away what is durable for one receiver, in order, and leaves the rest', () => {
    addDurable('a');
    addDurable('b', { to: carol });
    addDurable('c');
    add('d');
    take(1);
    assert.deepEqual(idsOf(outbox.takeDurable(bob)), ['a', 'c']);
    outbox.rewind();
    assert.deepEqual(take(), ['a', 'b', 'd']); // the peer waits for the number of a
    assert.deepEqual(outbox.takeDurable(bob), []);
  });

  it('sends a body that cannot go without anything that could be taken for the whole', () => {
    addDurable('a');
    take();
    outbox.rewind();
    const item = outbox.peek(1);
    assert.ok(item);
    outbox.hollow(item);
    assert.doesNotMatch(outbox.take(1, MAX_BYTES, 0)?.entries ?? 'seq', /seq|body/);
  });
});
