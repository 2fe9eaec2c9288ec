import assert from 'node:assert/strict';
import { createMemoryStorage, runtimeAddress, silentLogger, type KeyValueStorage } from '@hyperty/runtime';
import { createKnownPeers } from '../../../../runtime/src/platform/known-peers.ts';
import { recordingLogger, type LogLine } from '../../../support/matrix-people.ts';

const peer = (n: number) => runtimeAddress({ domain: 'partner.example', owner: `bob${n}`, device: 'pc' });

describe('known peers', () => {
  it('are remembered over restarts, latest last, each once', async () => {
    const storage = createMemoryStorage();
    const peers = createKnownPeers(storage, silentLogger);
    for (const n of [1, 2, 1]) peers.add(peer(n));
    await peers.flush();
    const again = createKnownPeers(storage, silentLogger);
    assert.deepEqual(await again.list(), [peer(1), peer(2)]);
    again.add(peer(3));
    assert.deepEqual(await again.list(), [peer(1), peer(2), peer(3)]);
  });

  it('are one of each owner, whose device names are its own claim', async () => {
    const peers = createKnownPeers(createMemoryStorage(), silentLogger);
    peers.add(peer(1));
    for (let n = 0; n < 70; n += 1) {
      peers.add(runtimeAddress({ domain: 'evil.example', owner: 'mallory', device: `d${n}` }));
    }
    assert.equal((await peers.list()).length, 2);
    assert.equal((await peers.list())[0], peer(1));
  });

  it('are the latest 64', async () => {
    const storage = createMemoryStorage();
    const peers = createKnownPeers(storage, silentLogger);
    for (let n = 0; n < 70; n += 1) peers.add(peer(n));
    await peers.flush();
    const known = await createKnownPeers(storage, silentLogger).list();
    assert.equal(known.length, 64);
    assert.equal(known.at(-1), peer(69));
  });

  it('are read as far as they are addresses of runtimes', async () => {
    const storage = createMemoryStorage();
    const stored = [peer(1), 'hyperty://partner.example/bob/chat', 'nonsense', 7, null];
    await storage.set('known-peers', JSON.stringify(stored));
    assert.deepEqual(await createKnownPeers(storage, silentLogger).list(), [peer(1)]);
    await storage.set('known-peers', '{"no":"list"}');
    assert.deepEqual(await createKnownPeers(storage, silentLogger).list(), []);
  });

  it('do no harm when their storage fails or holds nonsense', async () => {
    const log: LogLine[] = [];
    const failing: KeyValueStorage = {
      get: () => Promise.resolve('{'),
      set: () => Promise.reject(new Error('disk full')),
      delete: () => Promise.resolve(),
    };
    const peers = createKnownPeers(failing, recordingLogger(log));
    peers.add(peer(1));
    await peers.flush();
    assert.deepEqual(await peers.list(), [peer(1)]);
    assert.deepEqual(
      log.map(({ message }) => message),
      ['the known peers could not be read; starting without them', 'the known peers could not be stored'],
    );
  });

  it('that are added while the earlier ones are being read are listed once', async () => {
    const storage = createMemoryStorage();
    await storage.set('known-peers', JSON.stringify([peer(1), peer(2)]));
    const peers = createKnownPeers(storage, silentLogger);
    peers.add(peer(1));
    assert.deepEqual(await peers.list(), [peer(2), peer(1)]);
  });
});
