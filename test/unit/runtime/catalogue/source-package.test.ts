import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decodePackage,
  encodePackage,
  fromBase64,
  MAX_PACKAGE_BYTES,
  sha256Of,
  toBase64,
  type Manifest,
} from '@hyperty/runtime/catalogue';
import { beyondBounds, canonicalJson } from '../../../../runtime/src/catalogue/plain-json.ts';
import { failsWith } from '../../../support/hosting.ts';

const manifest: Manifest = {
  formatVersion: 1,
  kind: 'hyperty',
  name: 'greeter',
  version: '1.0.0',
  mainExport: 'default',
  imports: ['xstate', 'zod'],
};
const bytesOf = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

describe('source packages', () => {
  it('have one way to be written, whatever the order of what they are made of', async () => {
    const { imports, ...rest } = manifest;
    const shuffled = { imports: imports.toReversed(), ...rest } as Manifest;
    const one = encodePackage({ manifest, module: 'x' });
    assert.equal(await sha256Of(one), await sha256Of(encodePackage({ module: 'x', manifest: shuffled })));
    assert.deepEqual(decodePackage(one), { manifest, module: 'x' });
  });

  it('come back as they were, whatever the module', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (module) => {
        assert.equal(decodePackage(encodePackage({ manifest, module })).module, module);
      }),
    );
  });

  it('are refused when anything is added, moved, missing or of a later format', () => {
    const good = { manifest, module: 'x' };
    const refused: [unknown, RegExp][] = [
      [{ ...good, files: { '../../etc/passwd': 'x' } }, /Unrecognized key: "files"/],
      [{ manifest: { ...manifest, path: '../x' }, module: 'x' }, /Unrecognized key: "path"/],
      [{ module: 'x', manifest }, /canonical/],
      [`${JSON.stringify(good)}\n`, /canonical/],
      [JSON.stringify(good).replace('"x"', '"\\u0078"'), /canonical/],
      [JSON.stringify(good).replace('{"manifest"', '{"module":"y","manifest"'), /canonical/],
      [{ manifest: { ...manifest, imports: ['zod', 'xstate'] }, module: 'x' }, /canonical/],
      [{ manifest: { ...manifest, imports: ['node:fs'] }, module: 'x' }, /imports/],
      [{ manifest: { ...manifest, formatVersion: 2 }, module: 'x' }, /a later one needs a newer/],
      [{ manifest, module: '' }, /module/],
      ['PK\u0003\u0004', /no JSON/],
      ['['.repeat(100_000), /no JSON/],
      ['null', /expected object/],
    ];
    for (const [value, says] of refused)
      assert.throws(() => decodePackage(bytesOf(value)), failsWith('invalid', says));
    assert.throws(() => decodePackage(Uint8Array.of(0xff, 0xfe)), failsWith('invalid', /no UTF-8/));
    const marked = Uint8Array.from([0xef, 0xbb, 0xbf, ...bytesOf(good)]);
    assert.throws(() => decodePackage(marked), failsWith('invalid'));
  });

  it('have a limit, and no half characters', () => {
    const module = 'x'.repeat(MAX_PACKAGE_BYTES);
    assert.throws(() => encodePackage({ manifest, module }), failsWith('too-large'));
    assert.throws(() => decodePackage(new Uint8Array(MAX_PACKAGE_BYTES + 1)), failsWith('too-large'));
    assert.throws(
      () => encodePackage({ manifest, module: '\ud800' }),
      failsWith('invalid', /half a character/),
    );
  });
});

describe('base64 of packages', () => {
  it('is that of Node.js, both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        assert.equal(toBase64(bytes), text);
        assert.deepEqual(fromBase64(text), new Uint8Array(bytes));
      }),
    );
  });

  it('is undefined for what is none, or written in another way', () => {
    for (const text of ['A', 'AA', '!!!!', 'AAAA\n', 'AB==', '===='])
      assert.equal(fromBase64(text), undefined, text);
  });
});

describe('plain JSON', () => {
  it('is written alike for equal values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        assert.equal(canonicalJson(JSON.parse(text)), text);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      }),
    );
    assert.equal(canonicalJson({ b: 1, a: [{ d: null, c: undefined }] }), '{"a":[{"d":null}],"b":1}');
  });

  it('is measured without following it to the end', () => {
    const bounds = { maxDepth: 5, maxValues: 50, maxChars: 100 };
    let deep: unknown = {};
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    assert.match(beyondBounds(deep, bounds) ?? '', /deeper than 5/);
    assert.match(
      beyondBounds(
        Array.from({ length: 1000 }, () => 0),
        bounds,
      ) ?? '',
      /more than 50 values/,
    );
    assert.match(beyondBounds(['x'.repeat(101)], bounds) ?? '', /more than 100 characters/);
    assert.match(beyondBounds({ a: () => 0 }, bounds) ?? '', /function is no JSON/);
    assert.equal(beyondBounds({ a: [1, 'b', null, true] }, bounds), undefined);
  });
});
