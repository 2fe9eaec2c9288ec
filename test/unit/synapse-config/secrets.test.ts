import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createHomeserverSecrets, createSecret, maskSecret } from '@hyperty/synapse-config';

describe('secrets', () => {
  it('are random and safe in URLs and headers', () => {
    const secrets = Array.from({ length: 50 }, createSecret);
    assert.equal(new Set(secrets).size, 50);
    for (const secret of secrets) assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
  });

  it('of a homeserver differ from each other', () => {
    assert.equal(new Set(Object.values(createHomeserverSecrets())).size, 3);
  });

  it('are never shown beyond four characters, and short ones not at all', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 80 }), (secret) => {
        const shown = maskSecret(secret);
        assert.ok(shown.length <= 5);
        if (secret.length < 16) assert.equal(shown, '…');
        else assert.equal(shown, `${secret.slice(0, 4)}…`);
      }),
    );
  });
});
