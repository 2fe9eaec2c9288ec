/** What a link knows of its peer's memory: which restart lost something, and who is told. */
import assert from 'node:assert/strict';
import { runtimeAddress, silentLogger, type Logger } from '@hyperty/runtime';
import type { PeerOffer } from '../../../../runtime/src/link/handshake.ts';
import { createPeerStores, PeerMemory, type PeerStores } from '../../../../runtime/src/link/peer-memory.ts';
import { bob, upTo } from '../../../support/party.ts';

const offerOf = (names: Pick<PeerOffer, 'life' | 'store' | 'knownStore'>): PeerOffer => ({
  epoch: 'e'.repeat(32),
  version: 1,
  capabilities: [],
  limit: 1,
  skewMs: 0,
  ...names,
});

describe("the memory of a peer's memory", () => {
  let warnings: { readonly fields: object; readonly text: string }[];
  let stores: PeerStores;
  let isThrottled: boolean;
  let own: string | undefined;
  let memory: PeerMemory;

  beforeEach(() => {
    warnings = [];
    const logger: Logger = {
      ...silentLogger,
      warn: (fields: object, text: string) => void warnings.push({ fields, text }),
    };
    isThrottled = false;
    stores = createPeerStores(logger, { take: () => !isThrottled });
    own = 'store-of-alice';
    memory = new PeerMemory({ ...stores, peer: bob, store: () => own });
  });

  it('sees the same store and a new life after a restart', () => {
    memory.meet(offerOf({ life: 'life-one', store: 'store-one' }));
    const encounter = memory.meet(offerOf({ life: 'life-two', store: 'store-one' }));
    assert.deepEqual(encounter, { hasSameStore: true, hasNewLife: true });
    assert.deepEqual(warnings, []);
  });

  it('sees neither in a new session of the same life without a store', () => {
    memory.meet(offerOf({ life: 'life-one' }));
    assert.deepEqual(memory.meet(offerOf({ life: 'life-one' })), { hasSameStore: false, hasNewLife: false });
  });

  it('knows nothing of an older peer, which names neither', () => {
    memory.meet(offerOf({}));
    assert.deepEqual(memory.meet(offerOf({})), { hasSameStore: false, hasNewLife: false });
  });

  it('does not take a store that was away in between for the same: what was sent meanwhile is not in it', () => {
    memory.meet(offerOf({ store: 'store-one' }));
    memory.meet(offerOf({}));
    assert.equal(memory.meet(offerOf({ store: 'store-one' })).hasSameStore, false);
    assert.equal(stores.knownStore(bob), 'store-one');
    assert.deepEqual(warnings, []);
  });

  it('reports a store that was lost, once, and goes on with the new one', () => {
    for (const store of ['store-one', 'store-one', 'store-two', 'store-two']) memory.meet(offerOf({ store }));
    assert.deepEqual(
      warnings.map(({ fields }) => fields),
      [{ peer: bob, before: 'store-one', now: 'store-two' }],
    );
    assert.match(warnings[0]?.text ?? '', /a peer has lost what it knew of us/);
    assert.equal(stores.knownStore(bob), 'store-two');
  });

  it('warns, once, when a peer knows us with another store', () => {
    for (let session = 0; session < 3; session += 1) memory.meet(offerOf({ knownStore: 'store-of-old' }));
    assert.deepEqual(
      warnings.map(({ fields }) => fields),
      [{ peer: bob, expected: 'store-of-old', own: 'store-of-alice' }],
    );
    assert.match(warnings[0]?.text ?? '', /are not here\. .* start it with the earlier one/);
  });

  it('warns when a peer knows us with a store, and we run without', () => {
    own = undefined;
    memory.meet(offerOf({ knownStore: 'store-of-alice' }));
    assert.match(warnings[0]?.text ?? '', /runs without one/);
  });

  it('logs no more than it may, whatever strangers say', () => {
    isThrottled = true;
    for (const store of ['store-one', 'store-two'])
      memory.meet(offerOf({ store, knownStore: 'store-of-old' }));
    assert.deepEqual(warnings, []);
  });

  it('remembers a bounded number of stores, the latest', () => {
    const peers = upTo(10_001).map((n) => runtimeAddress({ domain: 'guest.example', owner: 'carol', device: `D${String(n)}` })); // prettier-ignore
    for (const peer of peers) stores.onStore(peer, 'store-of-carol');
    assert.deepEqual([peers[0], peers[1], peers[10_000]].map((peer) => peer && stores.knownStore(peer)), [undefined, 'store-of-carol', 'store-of-carol']); // prettier-ignore
  });

  it('says nothing when a peer knows us as we are', () => {
    memory.meet(offerOf({ knownStore: 'store-of-alice' }));
    assert.deepEqual(warnings, []);
  });
});
