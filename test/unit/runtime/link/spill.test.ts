/** Bodies that no frame can hold: where they are put, and what is made of a store's refusal. */
import assert from 'node:assert/strict';
import { FabricError, runtimeAddress, type ErrorCode, type MediaStore } from '@hyperty/runtime';
import { createManualClock, createTestWorld } from '@hyperty/runtime/testing';
import { Delivery } from '../../../../runtime/src/link/delivery.ts';
import { encodeBody } from '../../../../runtime/src/link/entry.ts';
import { fetchSpill, spillBody } from '../../../../runtime/src/link/spill.ts';
import { envelopeOf } from '../../../support/envelope.ts';
import { refusedAs } from '../../../support/refused.ts';

const { signal } = new AbortController();
const limits = { domain: 'acme.example', maxBytes: 1000, signal };

/** A store that keeps one thing. */
function storeOf(bytes?: Uint8Array): MediaStore {
  let kept = bytes;
  return {
    upload: (given) => {
      kept = given;
      return Promise.resolve('memory://acme.example/1');
    },
    download: () => Promise.resolve(kept ?? new Uint8Array()),
  };
}

const refusing = (code: ErrorCode): MediaStore => ({
  upload: () => Promise.reject(new FabricError(code, `not stored: ${code}`)),
  download: () => Promise.reject(new FabricError(code, `not fetched: ${code}`)),
});

async function spilled(store: MediaStore, body: unknown) {
  const encoded = encodeBody(envelopeOf({ id: 'large', body }), 10_000);
  const { spill } = await spillBody(encoded, store, signal);
  assert.ok(spill);
  return spill;
}

describe('a spilled body', () => {
  it('comes back as it was', async () => {
    const store = storeOf();
    const body = { text: 'Grüße 👋', half: '\ud800', list: [null, 0.1] };
    assert.deepEqual(await fetchSpill(await spilled(store, body), [store], limits), body);
  });

  it('is fetched from the store that has it, whatever others say', async () => {
    const store = storeOf();
    const spill = await spilled(store, 'here');
    for (const other of ['forbidden', 'not-found', 'offline'] as const)
      assert.equal(await fetchSpill(spill, [refusing(other), store, refusing(other)], limits), 'here');
  });

  it('is tried again when its store is away, though a store of others has refused it', async () => {
    const spill = await spilled(storeOf(), 'here');
    const orders = [
      [refusing('offline'), refusing('forbidden')],
      [refusing('forbidden'), refusing('offline')],
      [refusing('not-found'), refusing('offline')],
    ];
    for (const stores of orders)
      await assert.rejects(fetchSpill(spill, stores, limits), refusedAs('offline'));
  });

  it('is refused with what its own store says', async () => {
    const spill = await spilled(storeOf(), 'here');
    const stores = [refusing('too-large'), refusing('forbidden')];
    await assert.rejects(fetchSpill(spill, stores, limits), refusedAs('too-large'));
  });

  it('is refused when it is not what was announced', async () => {
    const spill = await spilled(storeOf(), 'here');
    for (const other of ['"there"', '"her"', '"here" '])
      await assert.rejects(
        fetchSpill(spill, [storeOf(new TextEncoder().encode(other))], limits),
        refusedAs('invalid', 'not what its sender announced'),
      );
  });

  it('is not even fetched above the limit, or without a store', async () => {
    const spill = await spilled(storeOf(), 'here');
    await assert.rejects(fetchSpill({ ...spill, bytes: 1001 }, [storeOf()], limits), refusedAs('too-large'));
    await assert.rejects(fetchSpill(spill, [], limits), refusedAs('unsupported', 'media store'));
  });
});

describe('a delivery', () => {
  it('says nothing more of what is handled after its end, so that no timer starts then', async () => {
    const peer = runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'DESK' });
    const self = runtimeAddress({ domain: 'partner.example', owner: 'bob', device: 'DESK' });
    let progress = 0;
    const { promise, resolve: handled } = Promise.withResolvers<undefined>();
    const delivery = new Delivery({
      self,
      peer,
      clock: createManualClock(),
      maxBodyBytes: 1000,
      media: () => [],
      skewMs: () => 0,
      deliver: () => ({ handled: promise }),
      refuse: () => assert.fail('it was refused'),
      reject: (error) => assert.fail(error),
      progress: () => void (progress += 1),
    });
    delivery.push([{ number: 1, entry: { ...envelopeOf({ id: 'slow' }) } }]);
    assert.equal(delivery.inProgress, 1);
    delivery.stop();
    handled(undefined);
    await promise;
    await Promise.resolve();
    assert.equal(progress, 0);
  });
});

describe('a path with frames larger than a link reads', () => {
  it('carries a body of 100 KB all the same', async () => {
    const world = createTestWorld({ maxFrameBytes: 1024 * 1024 });
    const alice = await world.runtime('alice@acme.example');
    await world.runtime('bob@partner.example');
    const asking = alice.ask('runtime://partner.example/bob/pc', { type: 'x', text: 'x'.repeat(100_000) });
    asking.catch(() => undefined);
    while (alice.inspect().pendingRequests > 0) {
      await new Promise((resolve) => setImmediate(resolve)); // Web Crypto works in another thread
      await world.advance(10);
    }
    await assert.rejects(asking, refusedAs('unsupported', 'A runtime does not understand'));
    await world.stop();
  });
});
