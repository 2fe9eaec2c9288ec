/** What names a subscription: updates and events follow it, everything else is a message of its own. */
import assert from 'node:assert/strict';
import { parseAddress, type Envelope } from '@hyperty/runtime';
import { createManualClock } from '@hyperty/runtime/testing';
import { Bus } from '../../../../runtime/src/bus/bus.ts';
import { createIdSource } from '../../../../runtime/src/message/id.ts';
import { randomBytes } from '../../../../runtime/src/platform/random.ts';
import { valueBody } from '../../../../runtime/src/message/envelope.ts';

const here = parseAddress('hyperty://acme.example/alice/desk');
const peer = parseAddress('hyperty://partner.example/bob/desk');

describe('an envelope that names a subscription', () => {
  it('is heard by its subscriber when it is an update or an event of the peer', async () => {
    const { bus, heard, subscription } = await subscribed();
    for (const type of ['update', 'event'])
      void bus.accept({ id: type, from: peer, to: here, type, re: subscription });
    assert.deepEqual(heard, ['update', 'event']);
  });

  it('is a question like any other when it asks one, and is answered', async () => {
    const { bus, heard, sent, subscription } = await subscribed();
    void bus.accept({ id: 'question', from: peer, to: here, type: 'execute', re: subscription });
    assert.deepEqual(heard, []);
    assert.deepEqual(
      sent.map(({ type, re, body }) => [type, re, (body as { code: number }).code]),
      [['response', 'question', 404]],
    );
    assert.equal(bus.deadLetters.total, 0);
  });

  it('never reaches the hyperty when the subscription is over; the peer is told to stop', async () => {
    const { bus, heard, sent, subscription } = await subscribed();
    bus.bind(here, { receive: () => assert.fail('it was taken for a message of its own') });
    bus.endStream(subscription);
    void bus.accept({ id: 'late', from: peer, to: here, type: 'event', re: subscription });
    assert.deepEqual(heard, []);
    assert.deepEqual(
      sent.map(({ type, body }) => [type, body]),
      [['unsubscribe', { subscription }]],
    );
  });
});

/** A bus with a subscription at `peer`, and what it has sent since. */
async function subscribed() {
  const clock = createManualClock();
  const ids = createIdSource({ now: () => clock.now(), random: randomBytes });
  const bus = new Bus({ clock, ids, deadLetterCapacity: 10 });
  const sent: Envelope[] = [];
  const heard: string[] = [];
  bus.connect({ send: (envelope) => void sent.push(envelope), withdraw: () => undefined });
  const { id, outcome } = bus.openRequest(
    { from: here, to: peer, type: 'subscribe' },
    { onUpdate: ({ type }) => heard.push(type) },
  );
  void bus.accept({ id: 'answer', from: peer, to: here, type: 'response', re: id, body: valueBody(1) });
  await outcome;
  sent.length = 0;
  return { bus, heard, sent, subscription: id };
}
