import assert from 'node:assert/strict';
import { createMemoryStorage } from '@hyperty/runtime';
import { createPackageCache, detectPlatform, sha256Of } from '@hyperty/runtime/catalogue';

describe('what a platform is', () => {
  it('is Node.js here, without camera', () => {
    assert.deepEqual(detectPlatform(), { kind: 'node', capabilities: [] });
  });

  it('is a browser with what it can ask for, or a phone', () => {
    const page = { document: {}, RTCPeerConnection: {}, navigator: { mediaDevices: {} } };
    assert.deepEqual(detectPlatform(page), {
      kind: 'browser',
      capabilities: ['webrtc', 'camera', 'microphone'],
    });
    const phone = { ...page, navigator: { userAgentData: { mobile: true } } };
    assert.deepEqual(detectPlatform(phone), { kind: 'phone', capabilities: ['webrtc'] });
    assert.deepEqual(detectPlatform({ WorkerGlobalScope: {} }), { kind: 'browser', capabilities: [] });
  });
});

describe('the cache of packages', () => {
  it('keeps those that were fetched last', async () => {
    const cache = createPackageCache(createMemoryStorage(), { maxPackages: 2 });
    const hashes: string[] = [];
    for (const text of ['one', 'two', 'three']) {
      const bytes = new TextEncoder().encode(text);
      hashes.push(await sha256Of(bytes));
      await cache.set(hashes.at(-1) ?? '', bytes);
    }
    const kept = await Promise.all(hashes.map((hash) => cache.get(hash)));
    assert.deepEqual(
      kept.map((bytes) => bytes && new TextDecoder().decode(bytes)),
      [undefined, 'two', 'three'],
    );
  });

  it('is as good as empty when its storage fails or its index is damaged', async () => {
    const broken = { get: () => Promise.reject(new Error()), set: () => Promise.reject(new Error()), delete: () => Promise.reject(new Error()) }; // prettier-ignore
    const cache = createPackageCache(broken);
    await cache.set('a'.repeat(64), new Uint8Array());
    assert.equal(await cache.get('a'.repeat(64)), undefined);
    const storage = createMemoryStorage();
    await storage.set('catalogue-packages', '{"../../x":1');
    const other = createPackageCache(storage);
    await other.set('a'.repeat(64), new TextEncoder().encode('x'));
    assert.deepEqual(await other.get('a'.repeat(64)), new TextEncoder().encode('x'));
  });
});
