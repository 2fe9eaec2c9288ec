/** Envelopes: what is read from outside, and what answers say. */
import assert from 'node:assert/strict';
import { decodeEnvelope, FabricError, parseAddress } from '@hyperty/runtime';
import fc from 'fast-check';
import { decodeResponse, errorBody, headerOf, valueBody } from '../../../../runtime/src/message/envelope.ts';
import { refusedAs } from '../../../support/refused.ts';

const message = {
  id: '01970000-0000-7000-8000-000000000001',
  from: 'hyperty://acme.example/alice/chat',
  to: 'hyperty://partner.example/bob/chat',
  type: 'event',
};

describe('decodeEnvelope', () => {
  it('never fails but with invalid, whatever comes in', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withSparseArray: true }), (value) => {
        assert.throws(() => decodeEnvelope(value), refusedAs('invalid', 'Malformed envelope'));
      }),
    );
  });

  it('keeps any body, and fields that it does not know', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (body, extra) => {
        const envelope = { ...message, body, 'x-new': extra };
        assert.deepEqual(decodeEnvelope(envelope), envelope);
      }),
    );
  });

  it('brings addresses to their one form', () => {
    const envelope = decodeEnvelope({ ...message, from: 'hyperty://acme.example/%61lice/chat' });
    assert.equal(envelope.from, message.from);
  });

  it('lets no key of the body or the envelope become a prototype', () => {
    const text = JSON.stringify(message).replace('{', '{"__proto__":{"re":"stolen","deadline":1},');
    const envelope = decodeEnvelope(JSON.parse(text));
    assert.equal(envelope.re, undefined);
    assert.equal(envelope.deadline, undefined);
    assert.equal(Object.getPrototypeOf(envelope), Object.prototype);
  });

  it('names at most three fields that are wrong, each shortly', () => {
    assert.throws(
      () => decodeEnvelope({ id: 1, from: 2, to: 3, type: 4, re: 5, deadline: 'x'.repeat(5000) }),
      (error) => error instanceof FabricError && error.message.split(';').length === 3,
    );
  });

  for (const [what, fields] of [
    ['a deadline before 1970', { deadline: -1 }],
    ['a deadline with a fraction', { deadline: 0.5 }],
    ['a trace of zeros', { trace: `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01` }],
    ['a trace in capitals', { trace: `00-${'A'.repeat(32)}-${'1'.repeat(16)}-01` }],
    ['an id of 65 characters', { id: 'x'.repeat(65) }],
    ['an empty re', { re: '' }],
    ['a type of 33 characters', { type: 'x'.repeat(33) }],
    ['a dot segment in an address', { to: 'hyperty://partner.example/bob/..' }],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => decodeEnvelope({ ...message, ...fields }), refusedAs('invalid'));
    });
  }
});

describe('headerOf', () => {
  it('leaves out the body, and what is not there', () => {
    const envelope = decodeEnvelope({ ...message, body: { secret: 1 }, re: 'x' });
    assert.deepEqual(headerOf(envelope), message);
    const timed = { ...message, deadline: 5, trace: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01` };
    assert.deepEqual(headerOf(decodeEnvelope(timed)), timed);
  });
});

describe('decodeResponse', () => {
  it('reads back what answers are made of', () => {
    assert.deepEqual(decodeResponse(valueBody({ a: 1 })), { kind: 'value', value: { a: 1 } });
    assert.deepEqual(decodeResponse(valueBody('on it', 102)), { kind: 'provisional', value: 'on it' });
    const error = new FabricError('not-found', 'Nobody.', { details: { to: 'x' } });
    const outcome = decodeResponse(JSON.parse(JSON.stringify(errorBody(error))));
    assert.ok(outcome.kind === 'error');
    assert.deepEqual(
      [outcome.error.code, outcome.error.message, outcome.error.details],
      ['not-found', 'Nobody.', { to: 'x' }],
    );
  });

  it('makes an outcome of anything, so that every request ends', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.record({ code: fc.integer(), error: fc.anything() })),
        (body) => {
          const { kind } = decodeResponse(body);
          assert.ok(['value', 'provisional', 'error'].includes(kind));
        },
      ),
    );
  });

  it('takes a malformed answer as a failure of its own kind', () => {
    for (const body of [undefined, null, 'yes', {}, { code: 'x' }, { code: 99 }, { code: 600 }]) {
      const outcome = decodeResponse(body);
      assert.ok(outcome.kind === 'error' && outcome.error.code === 'invalid');
    }
  });
});

describe('addresses in envelopes', () => {
  it('are the same text as parseAddress gives', () => {
    assert.equal(decodeEnvelope(message).to, parseAddress(message.to));
  });
});
