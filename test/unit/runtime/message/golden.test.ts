/** Envelopes as the golden files have them: every valid one is understood, every invalid one is refused with its code. */
import assert from 'node:assert/strict';
import { decodeEnvelope, FabricError, messageTypes } from '@hyperty/runtime';
import { decodeResponse } from '../../../../runtime/src/message/envelope.ts';
import { goldenFiles } from '../../../support/golden.ts';

const files = goldenFiles('envelope-');

describe('envelopes in golden files', () => {
  for (const { file, valid, invalid } of files) {
    describe(file, () => {
      for (const { name, value, decoded, outcome } of valid) {
        it(`decodes ${name}, every field kept`, () => {
          assert.deepEqual(decodeEnvelope(value), decoded ?? value);
        });

        if (outcome) {
          it(`gives the caller of ${name} its outcome`, () => {
            const { kind, ...rest } = decodeResponse(decodeEnvelope(value).body);
            assert.equal(kind, outcome.kind);
            if ('error' in rest) assert.equal(rest.error.code, outcome.code);
            else assert.deepEqual(rest.value, outcome.value);
          });
        }
      }

      for (const { name, value, code, says } of invalid) {
        it(`refuses ${name} as ${code}`, () => {
          assert.throws(
            () => decodeEnvelope(value),
            (error) => error instanceof FabricError && error.code === code && error.message.includes(says),
          );
        });
      }
    });
  }

  it('have an example of every type', () => {
    const types = new Set(files.flatMap(({ valid }) => valid.map(({ value }) => decodeEnvelope(value).type)));
    assert.deepEqual(
      messageTypes.filter((type) => !types.has(type)),
      [],
    );
  });
});
