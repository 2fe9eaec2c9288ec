/** Ids: their form, their order, and that there are no two alike. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createIdSource } from '../../../../runtime/src/message/id.ts';
import { childTrace, TRACEPARENT_PATTERN } from '../../../../runtime/src/message/trace.ts';
import { randomBytes } from '../../../../runtime/src/platform/random.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('an id source', () => {
  it('makes UUIDs of version 7 that sort by creation, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 300 }), (steps) => {
        let now = 1_800_000_000_000;
        const ids = createIdSource({ now: () => now, random: randomBytes });
        const made = steps.map((step) => {
          now += step;
          return ids.next();
        });
        for (const id of made) assert.match(id, UUID_V7);
        assert.deepEqual(made.toSorted(), made);
        assert.equal(new Set(made).size, made.length);
      }),
    );
  });

  it('writes the time of creation into the first 48 bits (RFC 9562 §5.7)', () => {
    const ids = createIdSource({ now: () => 0x017f22e279b0, random: randomBytes });
    assert.ok(ids.next().startsWith('017f22e2-79b0-7'));
  });

  it('goes on into the next millisecond when one is used up', () => {
    const ids = createIdSource({ now: () => 1000, random: (count) => new Uint8Array(count).fill(0xff) });
    const first = ids.next();
    assert.ok(first.endsWith('7fffffff'), first);
    assert.ok(ids.next() > first);
  });

  it('differs from another source of the same millisecond', () => {
    const source = () => createIdSource({ now: () => 5, random: randomBytes });
    assert.notEqual(source().next(), source().next());
  });

  it('gives as many hex digits as it is asked for', () => {
    const ids = createIdSource({ now: () => 5, random: randomBytes });
    for (const digits of [2, 16, 32, 64]) assert.match(ids.hex(digits), new RegExp(`^[0-9a-f]{${digits}}$`));
  });
});

describe('childTrace', () => {
  const ids = createIdSource({ now: () => 5, random: randomBytes });
  const hex = (digits: number): string => ids.hex(digits);

  it('begins a trace, and goes on in it with spans of its own', () => {
    const first = childTrace(undefined, hex);
    const second = childTrace(first, hex);
    for (const trace of [first, second]) assert.match(trace, TRACEPARENT_PATTERN);
    assert.equal(second.slice(0, 36), first.slice(0, 36));
    assert.notEqual(second.slice(36, 52), first.slice(36, 52));
  });

  it('keeps the flags of its parent', () => {
    const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
    assert.ok(childTrace(parent, hex).endsWith('-00'));
  });

  it('is valid even where chance gives zeros alone', () => {
    assert.match(
      childTrace(undefined, (digits) => '0'.repeat(digits)),
      TRACEPARENT_PATTERN,
    );
  });
});
