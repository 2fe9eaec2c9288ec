import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as z from 'zod';
import { breakingChanges } from '../../../../services/src/catalogue/schema-compatibility.ts';
import { openShop, type Shop } from '../../../support/catalogue-goods.ts';
import { failsWith } from '../../../support/hosting.ts';

type Schema = Record<string, unknown>;

const person = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 10 }, age: { type: 'integer', minimum: 0 } },
  required: ['name'],
} satisfies Schema;

const withProperty = (name: string, schema: unknown): Schema => ({
  ...person,
  properties: { ...person.properties, [name]: schema },
});

/** What changes, before, after, and what is said; no text: nothing breaks. */
const TABLE: [string, Schema | boolean, Schema | boolean, RegExp?][] = [
  ['nothing', person, { ...person, title: 'Person', description: 'One of us.' }],
  ['a property more', person, withProperty('mail', { type: 'string' })],
  [
    'a property less',
    person,
    { ...person, properties: { name: person.properties.name } },
    /properties\.age: removed/,
  ],
  [
    'a property renamed',
    person,
    { ...person, properties: { name: {}, years: {} } },
    /properties\.age: removed/,
  ],
  ['one required more', person, { ...person, required: ['name', 'age'] }, /property "age" is required now/],
  ['one required less', person, { ...person, required: [] }],
  [
    'additional properties closed',
    person,
    { ...person, additionalProperties: false },
    /additionalProperties: closed/,
  ],
  ['additional properties opened', { ...person, additionalProperties: false }, person],
  ['a type narrowed', { type: 'number' }, { type: 'integer' }, /type number is not allowed any more/],
  ['a type widened', { type: 'integer' }, { type: 'number' }],
  ['types in a list', { type: ['string', 'null'] }, { type: 'string' }, /type null/],
  ['a type added', {}, { type: 'string' }, /type narrowed to string/],
  ['a longer text', withProperty('name', { type: 'string', maxLength: 9 }), person],
  [
    'a shorter text',
    person,
    withProperty('name', { type: 'string', maxLength: 9 }),
    /maxLength narrowed from 10 to 9/,
  ],
  [
    'a higher minimum',
    person,
    withProperty('age', { type: 'integer', minimum: 1 }),
    /minimum narrowed from 0 to 1/,
  ],
  ['a bound added', { type: 'array' }, { type: 'array', maxItems: 5 }, /maxItems narrowed from none to 5/],
  ['a bound dropped', { type: 'array', maxItems: 5 }, { type: 'array' }],
  ['an enum more', { enum: ['a'] }, { enum: ['a', 'b'] }],
  ['an enum less', { enum: ['a', 'b'] }, { enum: ['a'] }, /value "b" is not allowed any more/],
  ['an enum added', { type: 'string' }, { type: 'string', enum: ['a'] }, /narrowed to fixed values/],
  ['const to enum', { const: 'a' }, { enum: ['a', 'b'] }],
  ['enum to const', { enum: ['a', 'b'] }, { const: 'a' }, /value "b"/],
  ['a pattern changed', { pattern: 'a' }, { pattern: 'b' }, /pattern changed/],
  ['a pattern dropped', { pattern: 'a' }, {}],
  ['a coarser step', { multipleOf: 2 }, { multipleOf: 4 }, /multipleOf narrowed/],
  ['a finer step', { multipleOf: 4 }, { multipleOf: 2 }],
  ['unique items', { type: 'array' }, { type: 'array', uniqueItems: true }, /uniqueItems/],
  ['items narrowed', { items: { type: 'number' } }, { items: { type: 'integer' } }, /items: type number/],
  ['items freed', { items: { type: 'number' } }, {}],
  [
    'a definition narrowed',
    { $defs: { a: { type: 'number' } } },
    { $defs: { a: { type: 'integer' } } },
    /\$defs\.a: type/,
  ],
  ['a reference moved', { $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }, /\$ref: changed, and whether/],
  ['an alternative more', { anyOf: [{ type: 'string' }] }, { anyOf: [{ type: 'null' }, { type: 'string' }] }],
  [
    'an alternative less',
    { anyOf: [{ type: 'null' }, { type: 'string' }] },
    { anyOf: [{ type: 'string' }] },
    /anyOf\.0/,
  ],
  ['oneOf changed', { oneOf: [{}] }, { oneOf: [{}, {}] }, /cannot be told/],
  ['a demand more', {}, { allOf: [{ required: ['a'] }] }, /allOf\.0: new or narrower/],
  ['a demand less', { allOf: [{ required: ['a'] }] }, {}],
  ['nothing allowed', true, false, /nothing is allowed/],
  ['everything allowed', { type: 'string' }, true],
  [
    'a property deep inside',
    { properties: { a: { properties: { b: {} } } } },
    { properties: { a: {} } },
    /properties\.a\.properties\.b: removed/,
  ],
  ['a name of every object', { properties: { constructor: {} } }, { properties: {} }, /constructor: removed/],
];

const leaf = fc.oneof(
  fc.record({ type: fc.constant('integer'), minimum: fc.integer({ min: -3, max: 3 }) }),
  fc.record({ type: fc.constant('integer'), maximum: fc.integer({ min: -3, max: 3 }) }),
  fc.record({ type: fc.constantFrom('string', 'number', 'boolean') }),
  fc.record({
    type: fc.constant('string'),
    minLength: fc.integer({ min: 0, max: 2 }),
    maxLength: fc.integer({ min: 2, max: 4 }),
  }),
  fc.record({ enum: fc.subarray(['a', 'b', 'c'], { minLength: 1 }) }),
  fc.record({ type: fc.constant('array'), items: fc.record({ type: fc.constantFrom('integer', 'number') }) }),
);
const object: fc.Arbitrary<Schema> = fc.record({ a: leaf, b: leaf }).chain((properties) =>
  fc.record({
    type: fc.constant('object'),
    properties: fc.constant(properties),
    required: fc.subarray(['a', 'b']),
    additionalProperties: fc.boolean(),
  }),
);
const value = fc.oneof(
  fc.integer({ min: -4, max: 4 }),
  fc.constantFrom('', 'a', 'b', 'c', 'abc', 0.5, true, null),
  fc.array(fc.constantFrom(1, 0.5), { maxLength: 2 }),
);
const data = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value);

const isValid = (schema: Schema, given: unknown): boolean =>
  z.fromJSONSchema(schema).safeParse(given).success;

describe('compatibility of data schemas', () => {
  for (const [what, before, after, says] of TABLE) {
    it(`${says ? 'tells of' : 'lets pass'} ${what}`, () => {
      const breaks = breakingChanges(before, after);
      if (says) assert.match(breaks.join('; '), says);
      else assert.deepEqual(breaks, []);
    });
  }

  it('says nothing only where whatever was valid stays valid', () => {
    fc.assert(
      fc.property(object, object, data, (before, after, given) => {
        fc.pre(isValid(before, given));
        return breakingChanges(before, after).length > 0 || isValid(after, given);
      }),
      { numRuns: 300 },
    );
  });

  it('never breaks with itself', () => {
    fc.assert(
      fc.property(object, (schema) => breakingChanges(schema, structuredClone(schema)).length === 0),
      { numRuns: 100 },
    );
  });

  it('bounds what it says', () => {
    const properties = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`p${n}`, {}]));
    assert.equal(breakingChanges({ properties }, {}).length, 20);
  });
});

describe('publishing data schemas', () => {
  let shop: Shop;
  const publish = async (version: string, schema: Schema): Promise<void> => {
    await shop.catalogue.call('publish', { descriptor: await shop.publisher.schema(version, schema) });
  };

  beforeEach(async () => (shop = await openShop()));
  afterEach(() => shop.domains.stop());

  it('lets a schema break with a new major version alone, and says what breaks', async () => {
    await publish('1.0.0', person);
    await publish('1.1.0', withProperty('mail', { type: 'string' }));
    const closed = { ...person, additionalProperties: false };
    await assert.rejects(
      publish('1.2.0', closed),
      failsWith(
        'conflict',
        /From 1\.1\.0 to 1\.2\.0 .* needs a new major version: .*mail: removed; .*closed/,
      ),
    );
    await publish('2.0.0', closed);
    await assert.rejects(publish('1.0.5', closed), failsWith('conflict', /From 1\.0\.0 to 1\.0\.5/));
  });

  it('compares with what is above as well, and with nothing that is yanked', async () => {
    await publish('1.2.0', person);
    await assert.rejects(
      publish('1.1.0', withProperty('mail', {})),
      failsWith('conflict', /From 1\.1\.0 to 1\.2\.0/),
    );
    await shop.catalogue.call('yank', {
      kind: 'schema',
      name: 'message',
      version: '1.2.0',
      reason: 'a mistake',
    });
    await publish('1.1.0', withProperty('mail', {}));
  });

  it('lets prereleases change freely, and below 1.0.0 the second number counts', async () => {
    await publish('0.1.0', person);
    await assert.rejects(publish('0.1.1', { type: 'null' }), failsWith('conflict'));
    await publish('0.2.0', { type: 'null' });
    await publish('1.0.0-beta.1', person);
    await publish('1.0.0-beta.2', { type: 'string' });
  });

  it('refuses schemas that are too deep or too large', async () => {
    const nested = (depth: number): Schema => (depth === 0 ? {} : { items: nested(depth - 1) });
    await publish('1.0.0', nested(20));
    const wide = { enum: Array.from({ length: 5000 }, (_, n) => n) };
    const refused: [Schema, RegExp][] = [
      [nested(40), /deeper than 24 levels/],
      [wide, /more than 4000 values/],
      [{ description: 'x'.repeat(70_000) }, /more than 65536 characters/],
      [JSON.parse('{"properties":{"__proto__":{}}}') as Schema, /"__proto__" is no name/],
    ];
    for (const [schema, says] of refused)
      await assert.rejects(publish('2.0.0', schema), failsWith('schema', says));
  });

  it('refuses so many alternatives that comparing them would keep everybody waiting', async () => {
    const of = (count: number): Schema => ({
      anyOf: Array.from({ length: count }, (_, n) => ({ maximum: n })),
    });
    await publish('3.0.0', of(100));
    await assert.rejects(publish('4.0.0', of(101)), failsWith('too-large', /anyOf and allOf/));
  });
});
