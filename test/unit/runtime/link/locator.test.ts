/** The locator: asks an owner's runtimes, keeps what waits, and tells why nothing was found. */
import assert from 'node:assert/strict';
import {
  defaultLinkSettings,
  FabricError,
  parseAddress,
  runtimeAddress,
  type Envelope,
  type RuntimeAddress,
} from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { encodeBody } from '../../../../runtime/src/link/entry.ts';
import type { Frame } from '../../../../runtime/src/link/frame.ts';
import { Locator } from '../../../../runtime/src/link/locator.ts';
import { bob, carol, envelopeOf } from '../../../support/envelope.ts';

const self = runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'DESK' });
const deviceOf = (device: string): RuntimeAddress =>
  runtimeAddress({ domain: 'partner.example', owner: 'bob', device });
const NEVER = Number.MAX_SAFE_INTEGER;

describe('a locator', () => {
  let clock: ManualClock;
  let locator: Locator;
  let asked: Extract<Frame, { kind: 'locate' }>[];
  let forwarded: { readonly id: string; readonly runtime: RuntimeAddress }[];
  let undelivered: { readonly id: string; readonly code: string }[];
  let diagnosis: FabricError | undefined;
  let isReachable: boolean;

  beforeEach(() => {
    clock = createManualClock();
    [asked, forwarded, undelivered, diagnosis, isReachable] = [[], [], [], undefined, true];
    let searches = 0;
    locator = new Locator({
      self,
      clock,
      settings: { ...defaultLinkSettings, congestedAt: 2, fullAt: 4 },
      hex: (digits) => String((searches += 1)).padStart(digits, '0'),
      broadcast: (frame) => {
        if (!isReachable) throw new FabricError('no-route', 'No protostub.');
        if (frame.kind === 'locate') asked.push(frame);
      },
      diagnose: () => Promise.resolve(diagnosis),
      moved: () => undefined,
      forward: ({ envelope: { id } }, _expiresAt, runtime) => forwarded.push({ id, runtime }),
      undeliverable: ({ id }, { code }) => undelivered.push({ id, code }),
    });
  });
  afterEach(() => {
    locator.stop();
    assert.equal(clock.pending, 0, 'timers are left');
  });

  const hold = (
    id: string,
    { expiresAt = NEVER, ...fields }: { expiresAt?: number } & Partial<Envelope> = {},
  ): void => locator.hold(encodeBody(envelopeOf({ id, ...fields }), 1000), expiresAt);
  const answer = (found: boolean, runtime = deviceOf('DESK'), id = asked.at(-1)?.id ?? ''): void => {
    locator.onLocated({ kind: 'located', from: runtime, to: self, id, address: bob, found }, runtime);
  };
  const codeOf = (code: string) => (error: unknown) => error instanceof FabricError && error.code === code;

  it('asks all runtimes of the owner once, and forwards in order what waited', () => {
    for (const id of ['a', 'b', 'c']) hold(id);
    assert.deepEqual(asked.map(({ to, address }) => [to, address]), [[deviceOf('*'), bob]]); // prettier-ignore
    answer(true);
    assert.deepEqual(forwarded, ['a', 'b', 'c'].map((id) => ({ id, runtime: deviceOf('DESK') }))); // prettier-ignore
    assert.equal(locator.route(bob), deviceOf('DESK'));
    assert.equal(locator.searching, 0);
  });

  it('finds the device that has it though another says no', async () => {
    hold('a');
    answer(false, deviceOf('PHONE'));
    await clock.advance(1000);
    answer(true, deviceOf('DESK'));
    await clock.advance(60_000);
    assert.deepEqual(forwarded, [{ id: 'a', runtime: deviceOf('DESK') }]);
    assert.deepEqual(undelivered, []);
  });

  it('says not-found once a device has said no and none has said yes', async () => {
    hold('a');
    answer(false, deviceOf('PHONE'));
    await clock.advance(2000);
    assert.deepEqual(undelivered, [{ id: 'a', code: 'not-found' }]);
    assert.equal(locator.searching, 0);
  });

  it('gives back with a durable envelope those of its sender that came after it, as none may overtake it', async () => {
    const seq = { epoch: 'store-of-alice', token: 1, number: 1 };
    hold('first', { seq });
    answer(false);
    hold('of another sender', { seq, from: carol });
    hold('second', { seq: { ...seq, number: 2 } });
    await clock.advance(2000);
    assert.deepEqual(undelivered, [
      { id: 'first', code: 'not-found' },
      { id: 'second', code: 'not-found' },
    ]);
    answer(true);
    assert.deepEqual(forwarded.map(({ id }) => id), ['of another sender']); // prettier-ignore
  });

  it('asks anew for what came after the question that was denied, as the hyperty may have been started since', async () => {
    hold('before');
    hold('while the denial is on its way');
    answer(false);
    await clock.advance(100);
    hold('after');
    await clock.advance(1400);
    assert.deepEqual(undelivered, [{ id: 'before', code: 'not-found' }]);
    assert.equal(asked.length, 2);
    answer(true);
    assert.deepEqual(forwarded.map(({ id }) => id), ['while the denial is on its way', 'after']); // prettier-ignore
  });

  it('ends when the last one that waits is withdrawn, so that the next one is asked for at once', async () => {
    hold('first');
    await clock.advance(60_000);
    const before = asked.length;
    assert.equal(locator.withdraw(envelopeOf({ id: 'first', to: bob }))?.code, 'offline');
    assert.deepEqual([locator.searching, clock.pending], [0, 0]);
    hold('second');
    assert.equal(asked.length, before + 1);
  });

  it('asks again, ever more rarely, and says offline once nobody waits any more', async () => {
    hold('a', { expiresAt: clock.now() + 60_000 });
    await clock.advance(7500);
    assert.equal(asked.length, 4); // at 0, 1, 3 and 7 s
    await clock.advance(120_000);
    assert.deepEqual(undelivered, [{ id: 'a', code: 'offline' }]);
    assert.equal(locator.searching, 0);
  });

  it('gives the reason that the transport found for the silence', async () => {
    diagnosis = new FabricError('unauthenticated', 'Their homeserver refuses ours.');
    hold('a', { expiresAt: clock.now() + 5000 });
    await clock.advance(60_000);
    assert.deepEqual(undelivered, [{ id: 'a', code: 'unauthenticated' }]);
  });

  it('takes no answer to another question, and none of a runtime of somebody else', () => {
    hold('a');
    answer(true, deviceOf('DESK'), 'f'.repeat(16));
    answer(true, runtimeAddress({ domain: 'guest.example', owner: 'carol', device: 'PHONE' }));
    assert.deepEqual(forwarded, []);
    assert.equal(locator.route(bob), undefined);
  });

  it('forwards what waits before anything newer, when the hyperty speaks up before it is found', () => {
    hold('a');
    locator.learn(bob, deviceOf('DESK'));
    assert.deepEqual(forwarded, [{ id: 'a', runtime: deviceOf('DESK') }]);
    assert.equal(locator.searching, 0);
    answer(true);
    assert.equal(forwarded.length, 1);
  });

  it('does not forward what was withdrawn', () => {
    hold('a');
    hold('b');
    assert.ok(codeOf('offline')(locator.withdraw(envelopeOf({ id: 'a', to: bob }))));
    answer(true);
    assert.deepEqual(forwarded.map(({ id }) => id), ['b']); // prettier-ignore
    assert.equal(locator.withdraw(envelopeOf({ id: 'b', to: bob })), undefined);
  });

  it('asks anew after a route has been forgotten, by address or by runtime', () => {
    locator.learn(bob, deviceOf('DESK'));
    locator.learn(carol, deviceOf('PHONE'));
    locator.forgetRuntime(deviceOf('DESK'));
    assert.equal(locator.route(bob), undefined);
    locator.forget(carol);
    assert.equal(locator.route(carol), undefined);
    hold('a');
    assert.equal(asked.length, 1);
  });

  it('asks at once when a path is usable again', async () => {
    hold('a');
    await clock.advance(3500);
    const before = asked.length;
    locator.retry();
    assert.equal(asked.length, before + 1);
    assert.equal(asked[0]?.id, asked.at(-1)?.id);
  });

  it('fails what waits when no protostub reaches the owner any more', async () => {
    hold('a');
    isReachable = false;
    await clock.advance(1000);
    assert.deepEqual(undelivered, [{ id: 'a', code: 'no-route' }]);
    assert.throws(() => hold('b'), codeOf('no-route'));
  });

  it('refuses above its bound', () => {
    for (const id of ['a', 'b', 'c', 'd']) hold(id);
    assert.throws(() => hold('e'), codeOf('mailbox-full'));
  });

  it('searches for at most 64 names of one owner, whatever else is asked for', () => {
    for (let n = 0; n < 64; n += 1)
      hold(`n${n}`, { to: parseAddress(`hyperty://partner.example/bob/n${n}`) });
    const another = parseAddress('hyperty://partner.example/bob/another');
    assert.throws(() => hold('x', { to: another }), codeOf('mailbox-full'));
    hold('y', { to: carol });
  });

  it('refuses schemes at which no hyperty lives', () => {
    assert.throws(
      () => hold('a', { to: parseAddress('hypertyy://partner.example/bob/chat') }),
      codeOf('no-route'),
    );
  });

  it('gives back what it holds when it stops', () => {
    hold('a');
    hold('b', { to: carol });
    assert.deepEqual(locator.stop().map(({ id }) => id), ['a', 'b']); // prettier-ignore
  });
});
