import assert from 'node:assert/strict';
import { FabricError, silentLogger, type Envelope } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import type { Bus } from '../../../../runtime/src/bus/bus.ts';
import { shardOf } from '../../../../runtime/src/durable/keys.ts';
import { Outgoing } from '../../../../runtime/src/durable/outgoing.ts';
import type { Address } from '../../../../runtime/src/message/address.ts';

const from = 'hyperty://acme.example/alice/teller' as Address;
const to = 'hyperty://partner.example/bob/counter' as Address;
const SHARD = shardOf(from);
const DAY_MS = 24 * 3_600_000;

const message = (number: number, more: Partial<Envelope> = {}): Envelope => ({
  ...{ id: `id-${number}`, from, to, type: 'event', body: {} },
  seq: { epoch: 'e', token: 1, number },
  ...more,
});
const notFound = new FabricError('not-found', 'Nobody here.');

describe('outgoing messages', () => {
  let clock: ManualClock;
  let outgoing: Outgoing;
  let sent: (number | undefined)[];
  let failed: string[];
  /** Messages that the stages of the bus are busy with; undefined while they are not. */
  let inStages: Envelope[] | undefined;
  const leave = (envelope: Envelope): void => {
    if (outgoing.mayLeave(envelope)) sent.push(envelope.seq?.number);
  };
  beforeEach(() => {
    clock = createManualClock();
    [sent, failed, inStages] = [[], [], undefined];
    const bus = {
      clock,
      forward: (envelope: Envelope) => {
        if (inStages) inStages.push(envelope);
        else leave(envelope);
      },
      withdraw: () => undefined,
    } as unknown as Bus; // no more of it is used
    outgoing = new Outgoing({
      bus,
      logger: silentLogger,
      forget: () => undefined,
      failed: ({ id }, { code }) => failed.push(`${id} ${code}`),
    });
  });
  afterEach(() => outgoing.stop());

  it('of a shard that is taken over leave behind those that its former owner left', () => {
    const held = outgoing.opening(SHARD);
    void outgoing.push([message(3)]);
    void outgoing.resume([message(1), message(2)]);
    outgoing.opened(SHARD, held);
    assert.deepEqual(sent, [1, 2, 3]);
  });

  it('of a shard that was lost meanwhile leave with those of its next time', () => {
    const before = outgoing.opening(SHARD);
    outgoing.drop(SHARD);
    const held = outgoing.opening(SHARD);
    void outgoing.push([message(2)]);
    outgoing.opened(SHARD, before);
    assert.deepEqual(sent, []);
    void outgoing.resume([message(1)]);
    outgoing.opened(SHARD, held);
    assert.deepEqual(sent, [1, 2]);
  });

  it('that were being kept when their shard was lost are left to its new owner, who has those before them', () => {
    void outgoing.push([message(1)]);
    outgoing.drop(SHARD);
    void outgoing.push([message(2)]);
    void outgoing.resume([message(3)]);
    assert.deepEqual(sent, [1]);
    assert.equal(outgoing.size, 0);
    const held = outgoing.opening(SHARD);
    void outgoing.resume([message(2), message(3)]);
    outgoing.opened(SHARD, held);
    assert.deepEqual(sent, [1, 2, 3]);
  });

  it('wait for the next life of a runtime that stops', async () => {
    const deadline = clock.now() + 1000;
    void outgoing.push([message(1), message(2, { type: 'execute', deadline })]);
    await clock.advance(500);
    const closed = new FabricError('closed', 'The runtime has been stopped.');
    for (const number of [1, 2]) outgoing.undeliverable(message(number), closed);
    assert.deepEqual(failed, []);
  });

  it('wait for days for a receiver of whom another runtime says that it is not there', async () => {
    void outgoing.push([message(1)]);
    outgoing.undeliverable(message(1), notFound);
    await clock.advance(DAY_MS);
    outgoing.undeliverable(message(1), notFound);
    assert.deepEqual(failed, []);
    await clock.advance(7 * DAY_MS);
    outgoing.undeliverable(message(1), notFound);
    assert.deepEqual(failed, ['id-1 not-found']);
  });

  it('wait for the roads of a runtime that is starting', () => {
    const question = message(1, { type: 'execute', deadline: clock.now() + DAY_MS });
    void outgoing.push([question, message(2)]);
    for (const one of [question, message(2)])
      outgoing.undeliverable(one, new FabricError('no-route', 'No protostub yet.'));
    assert.deepEqual(failed, []);
  });

  it('tell whoever asks after a minute that nobody is there', async () => {
    const question = message(1, { type: 'execute', deadline: clock.now() + DAY_MS });
    void outgoing.push([question]);
    outgoing.undeliverable(question, notFound);
    await clock.advance(61_000);
    outgoing.undeliverable(question, notFound);
    assert.deepEqual(failed, ['id-1 not-found']);
  });

  it('do not overtake one that comes back while they are in the stages of the bus', async () => {
    inStages = [];
    void outgoing.push([message(1), message(2), message(3)]);
    const [first, ...others] = inStages;
    assert.ok(first);
    outgoing.undeliverable(first, new FabricError('mailbox-full', 'Not now.'));
    for (const other of others) leave(other);
    assert.deepEqual(sent, []);
    inStages = undefined;
    await clock.advance(2000);
    assert.deepEqual(sent, [1, 2, 3]);
  });

  it('are at most 4,096 answers for one receiver, as strangers ask and need not listen', () => {
    const answers = Array.from({ length: 4100 }, (_, n) => message(n + 1, { type: 'response', re: 'asked' }));
    void outgoing.push(answers);
    assert.equal(outgoing.size, 4096);
    assert.equal(failed.length, 4);
    assert.match(failed[0] ?? '', /mailbox-full/);
  });
});
