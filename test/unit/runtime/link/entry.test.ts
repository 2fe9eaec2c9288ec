/** Entries: what is written is read again, and its size on the wire is known beforehand. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FabricError, type Envelope } from '@hyperty/runtime';
import { decodeEntries, encodeBody, encodeEntry, escapedBytes } from '../../../../runtime/src/link/entry.ts';
import { alice, bob, carol, envelopeOf } from '../../../support/envelope.ts';

const SEED = { seed: 20261124 };
const MAX_BYTES = 1_000_000;
const refused = (code: string) => (error: unknown) => error instanceof FabricError && error.code === code;

/** Strings with every kind of code unit: lone surrogates, control characters, quotes. */
const text = fc.string({ unit: fc.oneof(fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })) }); // prettier-ignore
const json = fc.jsonValue({ noUnicodeString: false });
const envelopes: fc.Arbitrary<Envelope[]> = fc.array(
  fc.record({
    id: fc.uuid(),
    from: fc.constantFrom(alice, carol),
    to: fc.constantFrom(bob, carol),
    type: fc.constantFrom('event', 'execute', 'greeting'),
    body: fc.oneof(json, text),
    deadline: fc.nat(),
  }),
);

describe('entries', () => {
  it('come back as they were written, whatever stands before them in the frame', () => {
    fc.assert(
      fc.property(envelopes, (sent) => {
        const texts = sent.map((envelope, i) => encodeEntry(encodeBody(envelope, MAX_BYTES), sent[i - 1]));
        assert.deepEqual(decodeEntries(`[${texts.join(',')}]`), JSON.parse(JSON.stringify(sent)));
      }),
      SEED,
    );
  });

  it('leave out what the entry before says already', () => {
    const encoded = encodeBody(envelopeOf({ id: 'second', body: 1 }), MAX_BYTES);
    assert.equal(encodeEntry(encoded, envelopeOf({ id: 'first' })), '{"id":"second","body":1}');
  });

  it('keep the body that was given, though the object changes later', () => {
    const body = { count: 1 };
    const encoded = encodeBody(envelopeOf({ body }), MAX_BYTES);
    body.count = 2;
    assert.deepEqual(decodeEntries(`[${encodeEntry(encoded, undefined)}]`)[0]?.['body'], { count: 1 });
  });

  it('say nothing about a body that is not there', () => {
    const encoded = encodeBody(envelopeOf({ id: 'bare' }), MAX_BYTES);
    assert.equal('body' in (decodeEntries(`[${encodeEntry(encoded, undefined)}]`)[0] ?? {}), false);
  });

  it('hold a reference instead of a spilled body', () => {
    const spill = { uri: 'memory://acme.example/1', sha256: '0'.repeat(64), bytes: 9 };
    const encoded = { ...encodeBody(envelopeOf({ body: 'long' }), MAX_BYTES), spill };
    const [entry] = decodeEntries(`[${encodeEntry(encoded, undefined)}]`);
    assert.deepEqual(entry?.['spill'], spill);
    assert.equal('body' in entry, false);
  });

  it('are refused as invalid when their body is no JSON', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    for (const body of [circle, 1n])
      assert.throws(() => encodeBody(envelopeOf({ body }), MAX_BYTES), refused('invalid'));
  });

  it('are refused as too-large by the bytes of their body, not by its characters', () => {
    fc.assert(
      fc.property(text, fc.nat(300), (body, maxBytes) => {
        const bytes = Buffer.byteLength(JSON.stringify(body));
        const encode = (): unknown => encodeBody(envelopeOf({ body }), maxBytes);
        if (bytes > maxBytes) assert.throws(encode, refused('too-large'));
        else assert.doesNotThrow(encode);
      }),
      SEED,
    );
  });

  it('are refused as invalid when they are no array of objects', () => {
    for (const bad of ['', '{}', '[1]', '[null]', '[{]', 'null'])
      assert.throws(() => decodeEntries(bad), refused('invalid'), bad);
  });

  it('leave objects alone that everybody shares', () => {
    decodeEntries('[{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}]');
    assert.equal('polluted' in {}, false);
  });
});

describe('escapedBytes', () => {
  it('is at least the UTF-8 length of the text inside a JSON string, and exact without control characters', () => {
    fc.assert(
      fc.property(text, (value) => {
        const exact = Buffer.byteLength(JSON.stringify(value)) - 2;
        assert.ok(escapedBytes(value) >= exact);
        // eslint-disable-next-line no-control-regex -- these and pairs of surrogates count as their longest form
        if (!/[\u0000-\u001f\ud800-\udfff]/.test(value)) assert.equal(escapedBytes(value), exact);
      }),
      SEED,
    );
  });
});
