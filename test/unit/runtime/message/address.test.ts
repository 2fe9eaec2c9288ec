/** Addresses: what is one, what it looks like in the end, and who may speak for it. */
import assert from 'node:assert/strict';
import {
  addressParts,
  FabricError,
  hypertyAddress,
  isAddress,
  ownerOf,
  ownsAddress,
  parseAddress,
  runtimeAddress,
  runtimeParts,
} from '@hyperty/runtime';
import fc from 'fast-check';
import { refusedAs } from '../../../support/refused.ts';

const ALICE = runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'DESK' });

const domain = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((ip) => `[${ip}]`),
  fc.constantFrom('localhost', 'ACME.example', 'acme.example:8448', '127.0.0.1:1', 'acme.example:65535'),
);
/** Any text that a name may consist of. */
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 24 })
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  .filter((text) => !/^\.{1,2}$/.test(text) && !/[\u0000-\u001f\u007f]/.test(text));
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 600 }),
  fc.string({ maxLength: 60 }).map((text) => `hyperty://${text}`),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.stringMatching(/^hyperty:\/\/[a-z.:@[\]%/0-9-]{0,60}$/),
);

describe('parseAddress', () => {
  it('gives every hyperty address back as it is written', () => {
    fc.assert(
      fc.property(domain, name, name, (host, owner, last) => {
        const address = hypertyAddress({ domain: host, owner, name: last });
        assert.equal(parseAddress(address), address);
        assert.ok(isAddress(address));
        assert.deepEqual(addressParts(address), {
          scheme: 'hyperty',
          domain: host.toLowerCase(),
          path: [owner, last],
        });
      }),
    );
  });

  it('makes one form of all spellings', () => {
    const canonical = 'hyperty://acme.example/alice/chat%20room';
    for (const spelling of [
      'HYPERTY://ACME.example/alice/chat%20room',
      'hyperty://acme.EXAMPLE/%61lice/chat%20room',
      'hyperty://acme.example/alice/%63hat%20room',
    ])
      assert.equal(parseAddress(spelling), canonical);
    assert.equal(parseAddress('hyperty://acme.example/a/%c3%a9'), 'hyperty://acme.example/a/%C3%A9');
  });

  it('keeps the case of the path', () => {
    assert.equal(parseAddress('runtime://acme.example/alice/DESK'), 'runtime://acme.example/alice/DESK');
  });

  it('is idempotent, and refuses everything else as invalid, whatever the text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        try {
          const once = parseAddress(text);
          assert.equal(parseAddress(once), once);
          assert.ok(isAddress(once));
        } catch (error) {
          assert.ok(error instanceof FabricError, String(error));
          assert.equal(error.code, 'invalid');
          assert.equal(isAddress(text), false);
        }
      }),
      { numRuns: 2000 },
    );
  });

  for (const [what, text] of [
    ['no text', ''],
    ['a path alone', '/alice/chat'],
    ['a user id', '@alice:acme.example'],
    ['no domain', 'hyperty:///alice/chat'],
    ['an empty segment', 'hyperty://acme.example//chat'],
    ['a slash at the end', 'hyperty://acme.example/alice/'],
    ['a dot segment', 'hyperty://acme.example/alice/..'],
    ['a dot segment in disguise', 'hyperty://acme.example/alice/%2E%2e'],
    ['a NUL', 'hyperty://acme.example/alice/a%00b'],
    ['broken percent-encoding', 'hyperty://acme.example/alice/%E4%F6'],
    ['a half percent-encoding', 'hyperty://acme.example/alice/%4'],
    ['letters beyond ASCII', 'hyperty://acme.example/alice/é'],
    ['a query', 'hyperty://acme.example/alice/chat?x=1'],
    ['a fragment', 'hyperty://acme.example/alice/chat#x'],
    ['a port of zero', 'hyperty://acme.example:0/alice/chat'],
    ['a port too high', 'hyperty://acme.example:65536/alice/chat'],
    ['credentials', 'hyperty://alice@acme.example/alice/chat'],
    ['a space', 'hyperty://acme.example/alice/chat room'],
    ['more than 512 characters', `hyperty://acme.example/alice/${'a'.repeat(512)}`],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseAddress(text), refusedAs('invalid', 'is no address'));
    });
  }

  it('shows no more than the beginning of a long text', () => {
    assert.throws(
      () => parseAddress('x'.repeat(100_000)),
      (error) => error instanceof FabricError && error.message.length < 300,
    );
  });
});

describe('hypertyAddress and runtimeAddress', () => {
  for (const [what, parts] of [
    ['half a character', { domain: 'acme.example', owner: 'alice', name: '\ud800' }],
    ['an empty name', { domain: 'acme.example', owner: 'alice', name: '' }],
    ['an empty owner', { domain: 'acme.example', owner: '', name: 'chat' }],
    ['a domain that brings an owner along', { domain: 'acme.example/mallory', owner: 'alice', name: 'chat' }],
    ['a domain with an open bracket', { domain: '[::1', owner: 'alice', name: 'chat' }],
  ] as const) {
    it(`refuse ${what} as invalid`, () => {
      assert.throws(() => hypertyAddress(parts), refusedAs('invalid'));
      assert.throws(() => runtimeAddress({ ...parts, device: parts.name }), refusedAs('invalid'));
    });
  }

  it('keep a name with slashes in one segment', () => {
    const address = hypertyAddress({ domain: 'acme.example', owner: 'a/b', name: 'c/../d' });
    assert.deepEqual(addressParts(address).path, ['a/b', 'c/../d']);
    assert.equal(ownerOf(address), 'acme.example/a%2Fb');
  });
});

describe('runtimeParts', () => {
  it('reads owner, domain and device', () => {
    assert.deepEqual(runtimeParts(ALICE), { domain: 'acme.example', owner: 'alice', device: 'DESK' });
  });

  it("refuses what is no runtime's address", () => {
    for (const text of [
      'hyperty://acme.example/alice/DESK',
      'runtime://acme.example/alice',
      'runtime://acme.example/alice/DESK/more',
      'runtime://acme.example',
    ])
      assert.throws(() => runtimeParts(text), refusedAs('invalid', 'runtime://domain/owner/device'));
  });
});

describe('ownership', () => {
  it('is that of the account at its domain, for every name of theirs', () => {
    fc.assert(
      fc.property(domain, name, fc.tuple(name, name), (host, owner, [device, last]) => {
        const runtime = runtimeAddress({ domain: host, owner, device });
        const own = hypertyAddress({ domain: host, owner, name: last });
        assert.ok(ownsAddress(runtime, own));
        assert.ok(ownsAddress(runtime, runtime));
        const stranger = hypertyAddress({ domain: host, owner: `${owner}x`, name: last });
        assert.ok(!ownsAddress(runtime, stranger));
        const elsewhere = hypertyAddress({ domain: 'elsewhere.example', owner, name: last });
        assert.ok(!ownsAddress(runtime, elsewhere) || host.toLowerCase() === 'elsewhere.example');
      }),
    );
  });

  for (const text of [
    'hyperty://acme.example/alice',
    'hyperty://acme.example',
    'domain://acme.example/alice/registry',
    'hyperty://acme.example.partner.example/alice/chat',
    'hyperty://acme.example:8448/alice/chat',
    'hyperty://acme.example/Alice/chat',
    'hyperty://acme.example/alice%2Fchat',
    'hyperty://acme.example/alice%2Fchat/x',
  ]) {
    it(`of alice does not cover ${text}`, () => {
      assert.ok(!ownsAddress(ALICE, parseAddress(text)));
    });
  }
});
