import assert from 'node:assert/strict';
import { createMemoryStore, FabricError, systemClock, under, type Envelope, type Store } from '@hyperty/runtime'; // prettier-ignore
import { Postbox } from '../../../../runtime/src/durable/postbox.ts';
import { Sequencer } from '../../../../runtime/src/durable/sequencer.ts';
import type { Address } from '../../../../runtime/src/message/address.ts';

const to = 'hyperty://acme.example/alice/counter' as Address;
const from = 'hyperty://partner.example/bob/teller' as Address;

const message = (number: number): Envelope => ({
  id: `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`,
  from,
  to,
  type: 'event',
  body: { type: 'add' },
  seq: { epoch: 'e', token: 1, number },
});

const full = new FabricError('storage', 'The disk is full.');

describe('the postbox', () => {
  const arrivals: (number | string | undefined)[] = [];
  /** Commits that fail before the store has room. */
  let failures: number;
  let store: Store;
  let postbox: Postbox;

  beforeEach(() => {
    arrivals.length = 0;
    failures = 0;
    const memory = createMemoryStore();
    const commit: Store['commit'] = async (writes) => {
      if (failures > 0) {
        failures -= 1;
        throw full;
      }
      await memory.commit(writes);
    };
    store = { ...memory, get: (key) => memory.get(key), range: (range) => memory.range(range), commit };
    postbox = new Postbox({
      store,
      clock: { ...systemClock, setTimeout: (run) => setTimeout(run, 1) },
      sequencer: new Sequencer(() => Date.now()),
      tag: 'test',
      arrived: (_to, { stream }) => arrivals.push(stream?.last) > 0,
    });
  });

  it('keeps no message before an earlier one that waits for room on the disk', async () => {
    failures = 2;
    const first = postbox.take(message(1), undefined, undefined).kept;
    await new Promise((resolve) => setImmediate(resolve)); // it has been refused by now
    const second = postbox.take(message(2), undefined, undefined).kept;
    await Promise.all([first, second]);
    assert.deepEqual(arrivals, [1, 2]);
  });

  it('keeps no message before an earlier one whose receiver is still looked for', async () => {
    const found = Promise.withResolvers<undefined>();
    const first = postbox.take(message(1), undefined, found.promise).kept;
    const second = postbox.take(message(2), undefined, undefined).kept;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(arrivals, []);
    found.resolve(undefined);
    await Promise.all([first, second]);
    assert.deepEqual(arrivals, [1, 2]);
    assert.equal((await store.range(under('m/'))).length, 2);
  });

  it('refuses a message whose receiver there is not, and keeps those behind it', async () => {
    const missing = new FabricError('not-found', 'Nobody.');
    const first = postbox.take(message(1), undefined, Promise.reject(missing)).kept;
    const second = postbox.take(message(2), undefined, undefined).kept;
    await assert.rejects(async () => first, missing);
    await second;
    assert.deepEqual(arrivals, [2]);
  });

  it('refuses at once what cannot wait, while the store takes nothing', async () => {
    failures = 50;
    const patient = postbox.take(message(1), undefined, undefined).kept;
    await new Promise((resolve) => setImmediate(resolve));
    const { seq: _seq, ...passing } = message(2);
    await assert.rejects(async () => postbox.take(passing, undefined, undefined).kept, full);
    failures = 0;
    await patient;
    assert.deepEqual(arrivals, [1]);
  });
});
