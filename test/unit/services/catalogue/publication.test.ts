import assert from 'node:assert/strict';
import { createMemoryMedium, createMemoryStore, FabricError, systemClock } from '@hyperty/runtime';
import {
  catalogueContract,
  createPublisherKey,
  MAX_PACKAGE_BYTES,
  sha256Of,
  signSuccession,
  toBase64,
} from '@hyperty/runtime/catalogue';
import { createPublisher, greeterModule, openShop, packageOf, putBytes, type Shop } from '../../../support/catalogue-goods.ts'; // prettier-ignore
import { failsWith } from '../../../support/hosting.ts';

const GREETER = { kind: 'hyperty', name: 'greeter' } as const;

describe('publishing in a catalogue', () => {
  let shop: Shop;

  beforeEach(async () => (shop = await openShop()));
  afterEach(() => shop.domains.stop());

  /** A descriptor of a package that is there. */
  const ready = async (version = '1.0.0', module = greeterModule()) => {
    const bytes = packageOf({ version }, module);
    await putBytes(shop.catalogue, bytes);
    return shop.publisher.describe(bytes, { version });
  };

  it('keeps a version for ever: the same again is no change, another content a conflict', async () => {
    const descriptor = await ready();
    const first = await shop.catalogue.call('publish', { descriptor });
    assert.deepEqual(first, { ...GREETER, version: '1.0.0', created: true, tags: { latest: '1.0.0' } });
    assert.equal((await shop.catalogue.call('publish', { descriptor })).created, false);
    const other = await ready('1.0.0', greeterModule('Good day'));
    await assert.rejects(
      shop.catalogue.call('publish', { descriptor: other }),
      failsWith('conflict', /raise the version/),
    );
    const { descriptor: kept } = await shop.catalogue.call('get', GREETER);
    assert.deepEqual(kept, descriptor);
  });

  it('leaves a name to who published it first', async () => {
    await shop.publish('1.0.0');
    const carol = await shop.domains.person('carol');
    const publisher = await createPublisher('acme.example/carol');
    const catalogue = carol.services.at(catalogueContract);
    const bytes = packageOf({ version: '1.1.0' });
    await putBytes(catalogue, bytes);
    const descriptor = await publisher.describe(bytes, { version: '1.1.0' });
    await assert.rejects(
      catalogue.call('publish', { descriptor }),
      failsWith('forbidden', /belongs to acme\.example\/alice/),
    );
    for (const change of [
      () => catalogue.call('yank', { ...GREETER, version: '1.0.0', reason: 'mine now' }),
      () => catalogue.call('deprecate', { ...GREETER, version: '1.0.0', reason: 'mine now' }),
      () => catalogue.call('tag', { ...GREETER, tag: 'beta', version: '1.0.0' }),
    ])
      await assert.rejects(change(), failsWith('forbidden'));
  });

  it('refuses a descriptor in the name of another publisher, and accounts of other domains', async () => {
    const bytes = packageOf();
    await putBytes(shop.catalogue, bytes);
    const carol = await createPublisher('acme.example/carol');
    const descriptor = await carol.describe(bytes);
    await assert.rejects(
      shop.catalogue.call('publish', { descriptor }),
      failsWith('forbidden', /names acme\.example\/carol/),
    );
    const bob = await shop.domains.person('bob', 'partner.example');
    const foreign = bob.services.at(catalogueContract, 'acme.example');
    await assert.rejects(foreign.call('publish', { descriptor }), failsWith('forbidden'));
    await assert.rejects(putBytes(foreign, bytes), failsWith('forbidden'));
  });

  it('refuses a wrong signature, and one of a key that is not the account’s', async () => {
    const descriptor = await ready();
    const changed = { ...descriptor, description: 'Greets nobody.' };
    await assert.rejects(
      shop.catalogue.call('publish', { descriptor: changed }),
      failsWith('invalid', /signature/),
    );
    await shop.catalogue.call('publish', { descriptor });
    const other = await createPublisher();
    const bytes = packageOf({ version: '1.1.0' });
    await putBytes(shop.catalogue, bytes);
    const unknown = await other.describe(bytes, { version: '1.1.0' });
    await assert.rejects(
      shop.catalogue.call('publish', { descriptor: unknown }),
      failsWith('forbidden', /another key/),
    );
  });

  it('takes a new key that the old one has signed, and no other', async () => {
    await shop.publish('1.0.0');
    const next = await createPublisher();
    const { publicKey } = next.key;
    const { owner, key } = shop.publisher;
    const forged = await signSuccession(owner, publicKey, await createPublisherKey());
    const replacing = shop.catalogue.call('replace-key', { publicKey, signature: forged });
    await assert.rejects(replacing, failsWith('forbidden'));
    const signature = await signSuccession(owner, publicKey, key);
    assert.deepEqual(await shop.catalogue.call('replace-key', { publicKey, signature }), { publicKey });
    assert.deepEqual(await shop.catalogue.call('replace-key', { publicKey, signature }), { publicKey });
    const bytes = packageOf({ version: '1.1.0' });
    await putBytes(shop.catalogue, bytes);
    const descriptor = await next.describe(bytes, { version: '1.1.0' });
    assert.equal((await shop.catalogue.call('publish', { descriptor })).created, true);
    await assert.rejects(shop.publish('1.2.0'), failsWith('forbidden'));
  });

  it('refuses a descriptor whose package is not there, or is another one', async () => {
    const missing = await shop.publisher.describe(packageOf());
    await assert.rejects(
      shop.catalogue.call('publish', { descriptor: missing }),
      failsWith('not-found', /put it before/),
    );
    const bytes = packageOf({ version: '2.0.0' });
    await putBytes(shop.catalogue, bytes);
    const older = await shop.publisher.describe(bytes);
    await assert.rejects(
      shop.catalogue.call('publish', { descriptor: older }),
      failsWith('invalid', /version is "2\.0\.0"/),
    );
    const code = { sha256: await sha256Of(bytes), size: 7, mainExport: 'default' };
    const short = await shop.publisher.describe(bytes, { version: '2.0.0', package: code });
    await assert.rejects(
      shop.catalogue.call('publish', { descriptor: short }),
      failsWith('invalid', /7 bytes/),
    );
  });

  it('says which field is unknown or malformed, and which format it understands', async () => {
    const descriptor = await ready();
    const refused: [Record<string, unknown>, RegExp][] = [
      [{ path: '../../etc/passwd' }, /Unrecognized key: "path"/],
      [
        { formatVersion: 2, novelty: true },
        /format version 2 is of a later catalogue; version 1 is understood/,
      ],
      [{ formatVersion: 'x' }, /expected format version 1/],
      [{ version: '1.0.0+build.7' }, /without build metadata/],
      [{ version: '01.0.0' }, /semantic version/],
      [{ description: 'tells\u0007bell' }, /control characters/],
      [{ constraints: { runtimes: ['fridge'] } }, /constraints\.runtimes/],
      [{ package: { ...descriptor.package, url: 'https://rival.example' } }, /Unrecognized key: "url"/],
    ];
    for (const name of [
      '../greeter',
      '%2e%2e',
      '__proto__',
      'a\0b',
      'A',
      'a/b',
      '',
      'a'.repeat(65),
      '.',
      'a--b',
    ])
      refused.push([{ name }, /descriptor\.name/]);
    for (const [fields, says] of refused) {
      const body = { type: 'publish', descriptor: { ...descriptor, ...fields } };
      await assert.rejects(
        shop.alice.ask('domain://catalogue.acme.example', body),
        failsWith('schema', says),
      );
    }
    assert.equal((await shop.catalogue.call('search', {})).total, 0);
  });

  it('takes packages under their hash alone, in one size and one way of writing', async () => {
    const bytes = packageOf();
    const sha256 = await sha256Of(bytes);
    const put = (given: Uint8Array, hash = sha256) =>
      shop.catalogue.call('put-package', { sha256: hash, bytes: toBase64(given) });
    assert.deepEqual(await put(bytes), { sha256, size: bytes.length, created: true });
    assert.equal((await put(bytes)).created, false);
    await assert.rejects(put(bytes, 'b'.repeat(64)), failsWith('invalid', /SHA-256/));
    const spaced = new TextEncoder().encode(` ${new TextDecoder().decode(bytes)}`);
    await assert.rejects(put(spaced, await sha256Of(spaced)), failsWith('invalid', /canonical/));
    const zip = new TextEncoder().encode('PK\u0003\u0004../../etc/passwd');
    await assert.rejects(put(zip, await sha256Of(zip)), failsWith('invalid', /no package/));
    await assert.rejects(
      shop.catalogue.call('put-package', { sha256, bytes: '!!!!' }),
      failsWith('invalid', /base64/),
    );
  });

  it('refuses packages that are too large before it looks at them', async () => {
    const large = new Uint8Array(MAX_PACKAGE_BYTES + 3);
    const put = shop.catalogue.call('put-package', { sha256: 'a'.repeat(64), bytes: toBase64(large) });
    await assert.rejects(put, failsWith('too-large', /at most 4194304/));
    const huge = 'A'.repeat(10 * 1024 * 1024);
    const sending = shop.catalogue.call('put-package', { sha256: 'a'.repeat(64), bytes: huge });
    await assert.rejects(sending, failsWith('too-large'));
  });

  it('keeps packages that nobody describes within bounds', async () => {
    const filler = (n: number) =>
      packageOf({ version: `1.0.${n}` }, `${String(n)}${'x'.repeat(3 * 1024 * 1024)}`);
    for (let n = 0; n < 10; n += 1) await putBytes(shop.catalogue, filler(n));
    await assert.rejects(
      putBytes(shop.catalogue, filler(10)),
      failsWith('mailbox-full', /no descriptor names/),
    );
    await shop.catalogue.call('publish', {
      descriptor: await shop.publisher.describe(filler(0), { version: '1.0.0' }),
    });
    await putBytes(shop.catalogue, filler(10));
  });

  it('takes a bounded number of names, versions and tags of one owner', async () => {
    await shop.publish('1.0.0');
    const account = `service/account/${encodeURIComponent('acme.example/alice')}`;
    const { publicKey } = JSON.parse((await shop.store.get(account)) ?? '') as { publicKey: string };
    await shop.store.commit([{ key: account, value: JSON.stringify({ publicKey, names: 1000 }) }]);
    await assert.rejects(shop.publish('1.0.0', { name: 'other' }), failsWith('mailbox-full', /1000 names/));
    await shop.publish('1.1.0');
    for (let n = 0; n < 32; n += 1)
      await shop.catalogue.call('tag', { ...GREETER, tag: `t${n}`, version: '1.0.0' });
    const tagging = shop.catalogue.call('tag', { ...GREETER, tag: 'one-more', version: '1.0.0' });
    await assert.rejects(tagging, failsWith('mailbox-full', /32 tags/));
    const key = 'service/name/hyperty/greeter';
    const record = JSON.parse((await shop.store.get(key)) ?? '') as { versions: object[] };
    const versions = Array.from({ length: 500 }, (_, n) => ({ version: `0.${n}.0`, publishedAt: 0 }));
    await shop.store.commit([{ key, value: JSON.stringify({ ...record, versions }) }]);
    await assert.rejects(shop.publish('3.0.0'), failsWith('mailbox-full', /500 versions/));
  });

  it('gives versions to one of two who publish the same name at once', async () => {
    const carol = await shop.domains.person('carol');
    const other = await createPublisher('acme.example/carol');
    const bytes = packageOf();
    await putBytes(shop.catalogue, bytes);
    const attempts = [
      shop.catalogue.call('publish', { descriptor: await shop.publisher.describe(bytes) }),
      carol.services.at(catalogueContract).call('publish', { descriptor: await other.describe(bytes) }),
    ];
    const outcomes = await Promise.allSettled(attempts);
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.equal(failed.length, 1);
    assert.equal(FabricError.from(failed[0]?.reason).code, 'forbidden');
  });

  it('gives a name to one owner when two processes that share a store publish it at once', async () => {
    const medium = createMemoryMedium();
    const shops = await Promise.all(
      [0, 1].map(() => openShop(createMemoryStore({ clock: systemClock, medium }))),
    );
    try {
      const attempts = shops.flatMap(({ catalogue }, n) =>
        Array.from({ length: 5 }, async (_, round) => {
          const owner = await createPublisher('acme.example/alice');
          const version = `1.${n}.${round}`;
          const bytes = packageOf({ version });
          await putBytes(catalogue, bytes);
          const descriptor = await owner.describe(bytes, { version });
          return catalogue.call('publish', { descriptor });
        }),
      );
      const outcomes = await Promise.allSettled(attempts);
      // One account, ten keys: the first that is published is the account's, and no other.
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assert.equal(FabricError.from(outcome.reason).code, 'forbidden');
    } finally {
      for (const { domains } of shops) await domains.stop();
    }
  });
});
