import assert from 'node:assert/strict';
import { createMemoryStorage, type Runtime } from '@hyperty/runtime';
import {
  createPackageCache,
  deploy,
  encodePackage,
  load,
  MODULE_FOOT,
  MODULE_HEAD,
  toBase64,
  type CodeDescriptor,
} from '@hyperty/runtime/catalogue';
import {
  createPublisher,
  greeterModule,
  openShop,
  packageOf,
  putBytes,
  type Shop,
} from '../../../support/catalogue-goods.ts';
import { failsWith } from '../../../support/hosting.ts';

const URL_1 = 'catalogue://acme.example/hyperty/greeter@^1';

describe('deploying from a catalogue', () => {
  let shop: Shop;
  let carol: Runtime;

  beforeEach(async () => {
    shop = await openShop();
    carol = await shop.domains.person('carol');
  });
  afterEach(() => shop.domains.stop());

  /** Changes what the catalogue has behind its back, as who has its store can. */
  const rewriteVersion = async (change: (descriptor: CodeDescriptor) => CodeDescriptor): Promise<void> => {
    const key = 'service/version/hyperty/greeter/1.0.0';
    const record = JSON.parse((await shop.store.get(key)) ?? '') as { descriptor: CodeDescriptor };
    const value = JSON.stringify({ ...record, descriptor: change(record.descriptor) });
    await shop.store.commit([{ key, value }]);
  };
  const rewritePackage = async (sha256: string, bytes: Uint8Array): Promise<void> => {
    await shop.store.commit([{ key: `service/package/${sha256}`, value: toBase64(bytes) }]);
  };

  it('hosts the hyperty of the best version on another runtime of the company, which answers', async () => {
    await shop.publish('1.0.0');
    await shop.publish('1.1.0');
    await shop.publish('2.0.0');
    const { hosted, entry } = await deploy(carol, URL_1);
    assert.equal(entry.descriptor.version, '1.1.0');
    const answer = await shop.alice.ask(hosted.address, { type: 'greet', name: 'Alice' });
    assert.deepEqual(answer, { type: 'greeted', text: 'Hello from 1.1.0, Alice' });
  });

  it('gives packages the very modules that the host runs on', async () => {
    const runtime = await import('@hyperty/runtime');
    const xstate = await import('xstate');
    const zod = await import('zod');
    let given: unknown;
    await shop.publish('1.0.0');
    await load(carol, URL_1, {
      importModule: async () => ({
        instantiate: (require: (name: string) => unknown) => {
          given = ['@hyperty/runtime', 'xstate', 'zod'].map(require);
          const machine = xstate.createMachine({});
          const descriptor = { name: 'greeter', version: '1.0.0' };
          return { default: runtime.defineHyperty({ descriptor, accepts: {}, emits: {}, machine }) };
        },
      }),
    });
    assert.ok(Array.isArray(given));
    for (const [n, module] of [runtime, xstate, zod].entries()) assert.equal(given[n], module);
  });

  it('names its place in the catalogue, not its text, where it throws', async () => {
    const module = `${MODULE_HEAD} throw new Error('on purpose'); ${MODULE_FOOT}`;
    const bytes = packageOf({}, module);
    await putBytes(shop.catalogue, bytes);
    await shop.catalogue.call('publish', { descriptor: await shop.publisher.describe(bytes) });
    await assert.rejects(load(carol, URL_1), (error: Error) => {
      assert.match(error.message, /greeter@1\.0\.0 fails while it is loaded: on purpose/);
      assert.match(
        (error.cause as Error).stack ?? '',
        /catalogue:\/\/acme\.example\/hyperty\/greeter@1\.0\.0:/,
      );
      return true;
    });
  });

  it('refuses packages of other domains, and what is no hyperty', async () => {
    await assert.rejects(load(carol, 'catalogue://partner.example/hyperty/greeter'), failsWith('forbidden'));
    await assert.rejects(load(carol, 'catalogue://acme.example/protostub/xmpp'), failsWith('unsupported'));
    const bytes = packageOf({}, `${MODULE_HEAD} module.exports = { default: 7 }; ${MODULE_FOOT}`);
    await putBytes(shop.catalogue, bytes);
    await shop.catalogue.call('publish', { descriptor: await shop.publisher.describe(bytes) });
    await assert.rejects(load(carol, URL_1), /exports no hyperty/);
  });

  it('gives a package nothing but what it may ask for', async () => {
    const bytes = packageOf({}, `${MODULE_HEAD} require('node:fs'); ${MODULE_FOOT}`);
    await putBytes(shop.catalogue, bytes);
    await shop.catalogue.call('publish', { descriptor: await shop.publisher.describe(bytes) });
    await assert.rejects(load(carol, URL_1), /asks for "node:fs"; a package may ask for/);
  });

  it('refuses a package whose bytes are not those that were signed, and runs none of it', async () => {
    await shop.publish('1.0.0');
    const { descriptor } = await shop.catalogue.call('get', { kind: 'hyperty', name: 'greeter' });
    assert.ok('package' in descriptor);
    const other = packageOf({}, greeterModule('Hallo from 1.0.0,'));
    await rewritePackage(descriptor.package.sha256, other);
    const options = { importModule: () => assert.fail('it must not be loaded') };
    await assert.rejects(load(carol, URL_1, options), /its SHA-256 is/);
    await rewritePackage(descriptor.package.sha256, other.subarray(1));
    await assert.rejects(load(carol, URL_1, options), /bytes instead of/);
  });

  it('refuses a descriptor that has been changed: constraints, an older package, another name or key', async () => {
    await shop.publish('1.0.0', { constraints: { capabilities: ['storage'] } });
    await shop.publish('2.0.0');
    const older = await shop.catalogue.call('get', { kind: 'hyperty', name: 'greeter', wanted: '2.0.0' });
    assert.ok('package' in older.descriptor);
    const { package: otherPackage } = older.descriptor;
    const original = await shop.catalogue.call('get', { kind: 'hyperty', name: 'greeter', wanted: '1.0.0' });
    const thief = await createPublisher();
    const changes: ((descriptor: CodeDescriptor) => CodeDescriptor)[] = [
      ({ constraints: _dropped, ...rest }) => rest,
      (descriptor) => ({ ...descriptor, package: otherPackage }),
      (descriptor) => ({ ...descriptor, version: '1.9.9' }),
      (descriptor) => ({
        ...descriptor,
        publisher: { ...descriptor.publisher, publicKey: thief.key.publicKey },
      }),
      (descriptor) => ({ ...descriptor, signature: 'A'.repeat(86) }),
    ];
    for (const change of changes) {
      await rewriteVersion(change);
      const loading = load(carol, URL_1, { capabilities: ['storage'] });
      await assert.rejects(loading, /The signature of .* is wrong/);
      await rewriteVersion(() => original.descriptor as CodeDescriptor);
    }
    await rewriteVersion((descriptor) => ({ ...descriptor, name: 'other' }));
    await assert.rejects(load(carol, URL_1, { capabilities: ['storage'] }), /of something else/);
  });

  it('refuses what a stranger of another domain signed', async () => {
    await shop.publish('1.0.0');
    const mallory = await createPublisher('rival.example/mallory');
    const foreign = await mallory.describe(packageOf());
    await rewriteVersion(() => foreign);
    await assert.rejects(load(carol, URL_1), failsWith('forbidden'));
  });

  it('refuses a package whose manifest says something else than its descriptor', async () => {
    await shop.publish('1.0.0');
    const bytes = packageOf({ name: 'other' });
    const descriptor = await shop.publisher.describe(bytes);
    await rewritePackage(descriptor.package.sha256, bytes);
    await rewriteVersion(() => descriptor);
    await assert.rejects(load(carol, URL_1), /disagree: name is "other"/);
  });

  it('says what a runtime lacks, and takes what its owner adds', async () => {
    await shop.publish('1.0.0', { constraints: { runtimes: ['browser'], capabilities: ['camera'] } });
    await assert.rejects(load(carol, URL_1), (error) => {
      failsWith('unsupported')(error);
      assert.match((error as Error).message, /it needs a runtime in browser and camera/);
      return true;
    });
    const platform = { kind: 'browser', capabilities: ['camera'] } as const;
    const { entry } = await load(carol, URL_1, { platform });
    assert.equal(entry.descriptor.version, '1.0.0');
  });

  it('looks at the constraints that are signed, whatever the catalogue says', async () => {
    await shop.publish('1.0.0', { constraints: { runtimes: ['browser'], capabilities: ['camera'] } });
    const key = 'service/name/hyperty/greeter';
    const record = JSON.parse((await shop.store.get(key)) ?? '') as object;
    const versions = [{ version: '1.0.0', publishedAt: 0 }];
    await shop.store.commit([{ key, value: JSON.stringify({ ...record, versions }) }]);
    await assert.rejects(
      load(carol, URL_1),
      failsWith('unsupported', /does not run here: it needs a runtime in browser and camera/),
    );
  });

  it('fetches a package once while its cache has it, and again when that is damaged', async () => {
    await shop.publish('1.0.0');
    const storage = createMemoryStorage();
    const cache = createPackageCache(storage);
    const { entry } = await load(carol, URL_1, { cache });
    assert.ok('package' in entry.descriptor);
    const { sha256 } = entry.descriptor.package;
    await shop.store.commit([{ key: `service/package/${sha256}`, value: null }]);
    await load(carol, URL_1, { cache });
    await storage.set(`catalogue-package-${sha256}`, 'something else');
    await assert.rejects(load(carol, URL_1, { cache }), failsWith('not-found'));
  });

  it('does not load what is larger than it says', async () => {
    const bytes = encodePackage({
      manifest: {
        formatVersion: 1,
        kind: 'hyperty',
        name: 'greeter',
        version: '1.0.0',
        mainExport: 'default',
        imports: [],
      },
      module: greeterModule(),
    });
    await shop.publish('1.0.0');
    const descriptor = await shop.publisher.describe(bytes, {
      package: { sha256: 'a'.repeat(64), size: 10, mainExport: 'default' },
    });
    await rewriteVersion(() => descriptor);
    await rewritePackage('a'.repeat(64), bytes);
    await assert.rejects(load(carol, URL_1), /bytes instead of 10/);
  });
});
