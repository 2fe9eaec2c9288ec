import assert from 'node:assert/strict';
import { createPrivateKey, sign, verify, createPublicKey } from 'node:crypto';
import { createSigningKey } from '@hyperty/synapse-config';

/** DER around the 32 bytes of an Ed25519 seed (RFC 8410 §7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

describe('signing key', () => {
  it('is one line in the format that Synapse reads', () => {
    assert.match(createSigningKey(), /^ed25519 a_[A-Za-z]{4} [A-Za-z0-9+/]{43}\n$/);
  });

  it('holds the seed of a working Ed25519 key', () => {
    const seed = Buffer.from(createSigningKey().trim().split(' ')[2] ?? '', 'base64');
    assert.equal(seed.length, 32);
    const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
    const signature = sign(null, Buffer.from('event'), key);
    assert.ok(verify(null, Buffer.from('event'), createPublicKey(key), signature));
  });

  it('differs each time', () => {
    assert.notEqual(createSigningKey(), createSigningKey());
  });
});
