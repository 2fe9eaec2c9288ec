/** Errors: one table, one class, nothing lost or leaked on the way. */
import assert from 'node:assert/strict';
import { errorTable, FabricError, isErrorCode, type ErrorCode } from '@hyperty/runtime';
import fc from 'fast-check';
import { decodeError } from '../../../../runtime/src/message/error.ts';

const codes = Object.keys(errorTable) as ErrorCode[];

describe('the table of errors', () => {
  it('gives each code its own close code, and statuses of failures', () => {
    assert.equal(new Set(codes.map((code) => errorTable[code].closeCode)).size, codes.length);
    for (const code of codes)
      assert.ok(errorTable[code].status >= 400 && errorTable[code].status < 600, code);
  });

  it('uses close codes that WebSocket allows an application', () => {
    for (const { closeCode } of Object.values(errorTable)) {
      assert.ok([1001, 1007, 1009, 1011].includes(closeCode) || (closeCode >= 4000 && closeCode < 5000));
    }
  });

  it('knows its own codes and no property of objects', () => {
    assert.ok(codes.every(isErrorCode));
    for (const other of ['toString', '__proto__', 'constructor', '', 5, undefined])
      assert.ok(!isErrorCode(other));
  });
});

describe('FabricError', () => {
  it('travels with code, message and details, without cause and stack', () => {
    const error = new FabricError('schema', 'Wrong.', {
      details: { field: 'a' },
      cause: new Error('secret'),
    });
    const text = JSON.stringify(error);
    assert.deepEqual(JSON.parse(text), { code: 'schema', message: 'Wrong.', details: { field: 'a' } });
    assert.deepEqual(decodeError(JSON.parse(text)).toJSON(), error.toJSON());
  });

  it('takes itself as it is, and anything else as its cause', () => {
    const error = new FabricError('closed', 'Over.');
    assert.equal(FabricError.from(error), error);
    const cause = new RangeError('too deep');
    const wrapped = FabricError.from(cause, 'invalid');
    assert.deepEqual([wrapped.code, wrapped.message, wrapped.cause], ['invalid', 'too deep', cause]);
  });

  it('wraps whatever can be thrown', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (thrown) => {
        const error = FabricError.from(thrown);
        assert.equal(error.code, 'internal');
        assert.equal(typeof error.message, 'string');
      }),
    );
    for (const odd of [
      Object.create(null),
      Symbol('odd'),
      {
        toString: () => {
          throw new Error('no');
        },
      },
      undefined,
      null,
    ])
      assert.equal(FabricError.from(odd).code, 'internal');
  });
});

describe('decodeError', () => {
  it('makes an error of anything', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        assert.ok(codes.includes(decodeError(value).code));
      }),
    );
  });

  it('takes codes that it does not know as internal, and shortens messages', () => {
    const error = decodeError({ code: 'toString', message: 'x'.repeat(1_000_000), details: ['no record'] });
    assert.deepEqual([error.code, error.message.length, error.details], ['internal', 2000, {}]);
  });
});
