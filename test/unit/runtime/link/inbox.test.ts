/** The inbox: order out of disorder, each once, within bounds. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Inbox, type Arrival } from '../../../../runtime/src/link/inbox.ts';
import { upTo } from '../../../support/party.ts';

const SHARE = 64 * 1024;

describe('an inbox', () => {
  let inbox: Inbox;
  beforeEach(() => {
    inbox = new Inbox();
  });

  const accept = (first: number, count: number, { limit = 100, bytes = 10 } = {}): Arrival =>
    inbox.accept(first, upTo(count).map((index) => ({ number: first + index - 1 })), { limit, bytes }); // prettier-ignore
  const numbersOf = ({ ready }: Arrival): number[] => ready.map(({ number }) => number);

  it('hands on each entry once and in order, whatever the order of frames', () => {
    const frames = fc.array(
      fc.record({ first: fc.integer({ min: 0, max: 20 }), count: fc.integer({ min: 1, max: 5 }) }),
    );
    fc.assert(
      fc.property(frames, (arriving) => {
        inbox = new Inbox();
        const ready = arriving.flatMap(({ first, count }) => accept(first, count).ready);
        assert.deepEqual(
          ready.map(({ number }) => number),
          upTo(inbox.last),
        );
        assert.ok(ready.every(({ number, entry }) => entry['number'] === number));
        const seen = new Set(
          arriving.flatMap(({ first, count }) => upTo(count).map((index) => first + index - 1)),
        );
        assert.equal(seen.has(inbox.last + 1), false, 'something that has come was held back');
        assert.equal(inbox.early, [...seen].filter((number) => number > inbox.last).length);
      }),
      { seed: 20261124 },
    );
  });

  it('is regular for what comes in turn', () => {
    assert.equal(accept(1, 3).irregular, false);
    assert.equal(accept(4, 1).irregular, false);
  });

  it('is irregular for repeats and gaps, so that the peer hears where we stand', () => {
    accept(1, 2);
    assert.deepEqual(accept(1, 2), { ready: [], irregular: true });
    assert.deepEqual(accept(4, 1), { ready: [], irregular: true });
  });

  it('hands on what came early once the gap is closed', () => {
    accept(2, 2);
    assert.equal(inbox.early, 2);
    assert.deepEqual(numbersOf(accept(1, 1)), [1, 2, 3]);
    assert.equal(inbox.early, 0);
  });

  it('drops what lies beyond the credit', () => {
    assert.deepEqual(numbersOf(accept(1, 5, { limit: 3 })), [1, 2, 3]);
    assert.equal(inbox.last, 3);
  });

  it('keeps no more than a bound of what comes early, and none of it for ever', () => {
    for (let number = 2; number <= 10; number += 1) accept(number, 1, { bytes: SHARE });
    assert.equal(inbox.early, 4);
    assert.deepEqual(numbersOf(accept(1, 1)), [1, 2, 3, 4, 5]);
    assert.deepEqual(numbersOf(accept(7, 1, { bytes: 4 * SHARE })), []);
    assert.equal(inbox.early, 1);
  });
});
