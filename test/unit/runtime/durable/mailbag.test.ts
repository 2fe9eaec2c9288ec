import assert from 'node:assert/strict';
import { createMemoryStore, FabricError, type Store } from '@hyperty/runtime';
import { keys, sortable } from '../../../../runtime/src/durable/keys.ts';
import { Mailbag } from '../../../../runtime/src/durable/mailbag.ts';
import { encode, type MailRow } from '../../../../runtime/src/durable/record.ts';
import { Sequencer } from '../../../../runtime/src/durable/sequencer.ts';
import type { HypertyAddress } from '../../../../runtime/src/message/address.ts';

const address = 'hyperty://acme.example/alice/counter' as HypertyAddress;
const from = 'hyperty://partner.example/bob/teller' as HypertyAddress;

/** A message of bob's teller, the `number`-th, that some process has given this place. */
const row = (number: number, place: number): MailRow => ({
  key: keys.mail(address, `${sortable(place)}-test`),
  envelope: { id: `id-${number}`, from, to: address, type: 'event' },
  stream: { sender: from, epoch: 'e', token: 1, last: number },
});

describe('the mail of a durable hyperty', () => {
  let store: Store;
  let isShared: boolean;
  let sequencer: Sequencer;
  let mailbag: Mailbag;
  /** Reads that fail before the store is well again. */
  let failures: number;
  beforeEach(() => {
    const memory = createMemoryStore();
    [isShared, failures] = [false, 0];
    sequencer = new Sequencer(() => 0);
    const range: Store['range'] = (wanted) => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new FabricError('storage', 'Not now.')) : memory.range(wanted);
    };
    store = {
      ...memory,
      get: (key) => memory.get(key),
      commit: (...batch) => memory.commit(...batch),
      range,
    };
    mailbag = new Mailbag(address, { store, isShared: () => isShared, sequencer });
  });

  const keep = (...rows: MailRow[]): Promise<void> =>
    store.commit(rows.map(({ key, envelope, stream }) => ({ key, value: encode({ envelope, stream }) })));
  /** Numbers in the order in which they are handled; each is gone from the store after that. */
  const handled = async (): Promise<unknown[]> => {
    const numbers: unknown[] = [];
    while (!mailbag.isEmpty) {
      await mailbag.fill();
      const taken = mailbag.take(1000);
      numbers.push(...taken.map(({ stream }) => stream?.last));
      await store.commit(taken.map(({ key }) => ({ key, value: null })));
    }
    return numbers;
  };

  it('is read again when the store could not be read', async () => {
    await keep(row(1, 10));
    failures = 1;
    await assert.rejects(mailbag.fill());
    mailbag.arrived(row(2, 20));
    await keep(row(2, 20));
    assert.deepEqual(await handled(), [1, 2]);
  });

  it('is handled in the order of its sender, whatever places two processes gave it', async () => {
    await keep(row(3, 10), row(1, 20), row(2, 30));
    assert.deepEqual(await handled(), [1, 2, 3]);
  });

  it('is looked for in the store before newer mail is handled, while other processes keep mail too', async () => {
    assert.deepEqual(await handled(), []);
    isShared = true;
    await keep(row(1, 20)); // by another process; the notice is still under way
    await keep(row(2, 10));
    mailbag.arrived(row(2, 10));
    assert.deepEqual(await handled(), [1, 2]);
  });

  it('is put behind what an earlier process left, whose clock was ahead', async () => {
    const left = Array.from({ length: 600 }, (_, index) => row(index + 1, 5000 + index));
    await keep(...left);
    await keep(row(601, sequencer.next())); // before anybody has read what was left
    await mailbag.fill();
    const place = sequencer.next();
    assert.ok(place > 5599, `place ${place}`);
    await keep(row(602, place));
    mailbag.arrived(row(602, place));
    assert.deepEqual(await handled(), [...left.map((_, index) => index + 1), 601, 602]);
  });

  it('gives out no message before its sender’s mark is known, also when it comes while marks are read', async () => {
    const known = row(7, 10);
    await store.commit([{ key: keys.mark(address, from), value: encode(known.stream) }]);
    await mailbag.fill();
    mailbag.arrived(known);
    assert.deepEqual([mailbag.isReady, mailbag.take(1)], [false, []]);
    await mailbag.fill();
    assert.deepEqual([mailbag.isReady, mailbag.markOf(from)], [true, known.stream]);
    assert.deepEqual(mailbag.take(1), [known]);
  });
});
