import assert from 'node:assert/strict';
import { parseAddress, type Address } from '@hyperty/runtime';
import { Subscribers, type Publication } from '../../../../runtime/src/actor/subscribers.ts';
import { SUBSCRIPTION_LEASE_MS } from '../../../../runtime/src/bus/subscription.ts';
import { failsWith } from '../../../support/hosting.ts';

const alice = parseAddress('runtime://acme.example/alice/DESK');
const bob = parseAddress('runtime://partner.example/bob/DESK');

describe('subscribers', () => {
  let published: Publication[];
  let subscribers: Subscribers;

  const create = (capacity = 1000): Subscribers =>
    new Subscribers(capacity, (publication) => published.push(publication));
  const receivers = (): Address[] => published.splice(0).map(({ to }) => to);

  beforeEach(() => {
    published = [];
    subscribers = create();
  });

  it('get each change of the snapshot once', () => {
    subscribers.add('1', alice, 0);
    subscribers.update({ status: 'active', value: 'open' }, 0);
    subscribers.update({ status: 'active', value: 'open' }, 0);
    subscribers.update({ status: 'active', value: 'closed' }, 0);
    assert.deepEqual(
      published.map(({ body }) => (body as { value: string }).value),
      ['open', 'closed'],
    );
    assert.deepEqual(published[0], {
      to: alice,
      re: '1',
      type: 'update',
      body: { status: 'active', value: 'open' },
    });
  });

  it('get emitted events, the same ones again too', () => {
    subscribers.add('1', alice, 0);
    subscribers.emit({ type: 'rang' }, 0);
    subscribers.emit({ type: 'rang' }, 0);
    assert.deepEqual(
      published.map(({ type }) => type),
      ['event', 'event'],
    );
  });

  it('are forgotten at the end of their lease, unless they renew it', () => {
    subscribers.add('1', alice, 0);
    subscribers.add('2', bob, 0);
    subscribers.add('2', bob, SUBSCRIPTION_LEASE_MS - 1);
    subscribers.emit({}, SUBSCRIPTION_LEASE_MS);
    assert.deepEqual(receivers(), [bob]);
  });

  it('are removed by themselves alone', () => {
    subscribers.add('1', alice, 0);
    subscribers.remove('1', bob);
    subscribers.emit({}, 0);
    assert.deepEqual(receivers(), [alice]);
    subscribers.remove('1', alice);
    subscribers.emit({}, 0);
    assert.deepEqual(receivers(), []);
  });

  it('cannot take over the subscription of somebody else', () => {
    subscribers.add('1', alice, 0);
    assert.throws(() => subscribers.add('1', bob, 0), failsWith('forbidden'));
  });

  it('are refused above 64 of one owner, whatever their devices, while others still get in', () => {
    for (let n = 0; n < 64; n += 1)
      subscribers.add(`${n}`, parseAddress(`runtime://acme.example/alice/device-${n}`), 0);
    assert.throws(
      () => subscribers.add('64', alice, 0),
      failsWith('mailbox-full', /acme\.example\/alice holds 64/),
    );
    subscribers.add('65', bob, 0);
    subscribers.add('0', parseAddress('runtime://acme.example/alice/device-0'), 0);
    subscribers.add('66', alice, SUBSCRIPTION_LEASE_MS);
  });

  it('are refused above the capacity, until a lease ends', () => {
    subscribers = create(1);
    subscribers.add('1', alice, 0);
    assert.throws(() => subscribers.add('2', bob, 0), failsWith('mailbox-full', /1 subscribers/));
    subscribers.add('2', bob, SUBSCRIPTION_LEASE_MS);
  });

  it('hear of the snapshot anew when they come after a time without any', () => {
    subscribers.add('1', alice, 0);
    subscribers.update({ status: 'active' }, 0);
    subscribers.remove('1', alice);
    subscribers.update({ status: 'active' }, 0);
    subscribers.add('2', bob, 0);
    subscribers.update({ status: 'active' }, 0);
    assert.deepEqual(receivers(), [alice, bob]);
  });
});
