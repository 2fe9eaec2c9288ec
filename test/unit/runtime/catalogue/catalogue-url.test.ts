import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FabricError } from '@hyperty/runtime';
import { catalogueUrl, isCatalogueUrl, parseCatalogueUrl } from '@hyperty/runtime/catalogue';
import { failsWith } from '../../../support/hosting.ts';

describe('URLs of catalogues', () => {
  it('name a domain, a kind, a name and which version is wanted', () => {
    assert.deepEqual(parseCatalogueUrl('catalogue://acme.example/hyperty/greeter@^1'), {
      domain: 'acme.example',
      kind: 'hyperty',
      name: 'greeter',
      wanted: '^1',
    });
    assert.deepEqual(parseCatalogueUrl('CATALOGUE://ACME.localhost:18481/schema/chat-message'), {
      domain: 'acme.localhost:18481',
      kind: 'schema',
      name: 'chat-message',
    });
    const ranges = ['1.2.3', '1.0.0-beta.1', '*', '>=1.2 <2 || ~0.9', 'latest', '1.0.0+build.5'];
    for (const wanted of ranges)
      assert.equal(parseCatalogueUrl(`catalogue://acme.example/hyperty/greeter@${wanted}`).wanted, wanted);
  });

  it('are refused with paths, encodings, prototypes and whatever else is no name', () => {
    const tails = '../greeter|%2e%2e/greeter|hyperty/../greeter|hyperty/..|hyperty/%2e%2e|hyperty/__proto__|hyperty/Greeter|hyperty/a\0b|hyperty/|hyperty|toaster/greeter|hyperty/a/b|hyperty/greeter@|hyperty/greeter@1@2|hyperty/greeter@%5E1|hyperty/greeter?x|hyperty/greeter#x|hyperty/greeter@../x'; // prettier-ignore
    for (const tail of tails.split('|'))
      assert.throws(() => parseCatalogueUrl(`catalogue://acme.example/${tail}`), failsWith('invalid'), tail);
    for (const text of [
      '',
      'catalogue:',
      'https://acme.example/hyperty/greeter',
      'catalogue://user@acme.example/hyperty/x',
      'catalogue://../hyperty/x',
      `catalogue://acme.example/hyperty/x@${'1'.repeat(600)}`,
    ])
      assert.throws(() => parseCatalogueUrl(text), failsWith('invalid'), text);
  });

  it('are told from files', () => {
    assert.equal(isCatalogueUrl('catalogue://acme.example/hyperty/x'), true);
    assert.equal(isCatalogueUrl('./catalogue.ts'), false);
  });

  it('are read as they were written, or refused, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (tail) => {
        const text = `catalogue://acme.example/hyperty/${tail}`;
        try {
          return catalogueUrl(parseCatalogueUrl(text)) === text;
        } catch (error) {
          return error instanceof FabricError && error.code === 'invalid';
        }
      }),
    );
  });
});
