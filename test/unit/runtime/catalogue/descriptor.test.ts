/** Descriptors as the golden file has them: what is signed stays verifiable, and what is refused stays refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { FabricError, parseBy } from '@hyperty/runtime';
import { descriptorJsonSchema, descriptorKinds, isSignedByPublisher } from '@hyperty/runtime/catalogue';
import * as z from 'zod';
import { descriptorField } from '../../../../runtime/src/catalogue/descriptor.ts';
import { goldenFiles } from '../../../support/golden.ts';

const [golden] = goldenFiles('descriptor-');
assert.ok(golden);
const { valid, invalid } = golden;

describe('descriptors in the golden file', () => {
  for (const { name, value } of valid) {
    it(`takes ${name} as it is, and its signature holds`, async () => {
      const descriptor = parseBy(descriptorField, value, 'Descriptor');
      assert.deepEqual(descriptor, value);
      assert.equal(await isSignedByPublisher(descriptor), true);
    });

    it(`finds ${name} changed when any field of it is`, async () => {
      const descriptor = parseBy(descriptorField, value, 'Descriptor');
      for (const field of Object.keys(descriptor).filter((it) => !['signature', 'publisher'].includes(it))) {
        const changed = { ...descriptor, [field]: undefined };
        assert.equal(await isSignedByPublisher(changed), false, field);
      }
      const publisher = { ...descriptor.publisher, owner: 'acme.example/bob' };
      assert.equal(await isSignedByPublisher({ ...descriptor, publisher }), false);
    });
  }

  for (const { name, value, code, says } of invalid) {
    it(`refuses ${name} as ${code}`, () => {
      assert.throws(
        () => parseBy(descriptorField, value, 'Descriptor'),
        (error) => error instanceof FabricError && error.code === code && error.message.includes(says),
      );
    });
  }

  it('have an example of every kind', () => {
    const kinds = valid.map(({ value }) => (value as { kind: string }).kind);
    assert.deepEqual(kinds.toSorted(), [...descriptorKinds].sort());
  });
});

describe('the published JSON Schema of descriptors', () => {
  const published = JSON.parse(readFileSync('runtime/schema/descriptor.json', 'utf8')) as Record<
    string,
    unknown
  >;
  const schema = z.fromJSONSchema(published);

  it('is what the code says', () => {
    assert.deepEqual(published, descriptorJsonSchema());
  });

  it('takes and refuses the same examples', () => {
    for (const { name, value } of valid) assert.equal(schema.safeParse(value).success, true, name);
    for (const { name, value } of invalid) assert.equal(schema.safeParse(value).success, false, name);
  });
});
