import assert from 'node:assert/strict';
import { parseAddress, type Address } from '@hyperty/runtime';
import { SUBSCRIPTION_LEASE_MS } from '../../../../runtime/src/bus/subscription.ts';
import { Followers } from '../../../../runtime/src/service/followers.ts';
import { failsWith } from '../../../support/hosting.ts';

const alice = parseAddress('runtime://acme.example/alice/DESK');
const bob = parseAddress('runtime://partner.example/bob/DESK');

describe('followers of a service', () => {
  let now: number;
  let ended: string[];
  let followers: Followers;

  beforeEach(() => {
    [now, ended] = [0, []];
    followers = new Followers(() => now, 'acme.example');
  });

  const add = (id: string, address: Address): void => {
    followers.reserve(id, address);
    followers.fill(id, address, { stop: () => ended.push(id), current: () => `now ${id}` });
  };

  it('stay while they renew, and get the output as it is then', () => {
    add('1', alice);
    now = SUBSCRIPTION_LEASE_MS - 1;
    assert.equal(followers.renew('1', alice), 'now 1');
    now += SUBSCRIPTION_LEASE_MS - 1;
    followers.sweep();
    assert.equal(followers.has('1', alice), true);
    now += 1;
    followers.sweep();
    assert.deepEqual(ended, ['1']);
  });

  it('are renewed and ended by themselves alone', () => {
    add('1', alice);
    followers.end('1', bob);
    assert.throws(() => followers.renew('1', bob), failsWith('offline'));
    assert.equal(followers.size, 1);
    followers.end('1', alice);
    assert.deepEqual(ended, ['1']);
  });

  it('have a share for each account, which comes free again', () => {
    for (let n = 0; n < 256; n += 1) add(String(n), alice);
    assert.throws(() => followers.reserve('more', alice), failsWith('mailbox-full'));
    followers.end('7', alice);
    add('more', alice);
    now = SUBSCRIPTION_LEASE_MS;
    add('later', alice); // those whose lease has run out make room
    assert.equal(followers.size, 1);
  });

  it('leave room for their own domain, however many others come', () => {
    let refused = 0;
    for (let n = 0; n < 12_000; n += 1) {
      const stranger = parseAddress(`runtime://evil${n % 20}.example/user${n % 1000}/x`);
      try {
        followers.reserve(String(n), stranger);
      } catch {
        refused += 1;
      }
    }
    assert.equal(refused, 7000);
    add('1', alice);
    assert.equal(followers.has('1', alice), true);
  });

  it('that give up before their output is there are ended when it comes', () => {
    followers.reserve('1', alice);
    followers.end('1', alice);
    const filled = followers.fill('1', alice, { stop: () => ended.push('1'), current: () => undefined });
    assert.equal(filled, false);
    assert.deepEqual(ended, ['1']);
    assert.equal(followers.size, 0);
  });

  it('are not ended by somebody else who names their subscription', () => {
    add('1', alice);
    followers.reserve('1', bob);
    assert.equal(followers.has('1', alice), true);
  });

  it('are all told and ended when the service stops', () => {
    add('1', alice);
    add('2', bob);
    const told: string[] = [];
    followers.stop((id, address) => told.push(`${id} ${address}`));
    assert.deepEqual(told, [`1 ${alice}`, `2 ${bob}`]);
    assert.deepEqual(ended, ['1', '2']);
  });
});
