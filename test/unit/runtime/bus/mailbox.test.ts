/** The mailbox: one at a time, in order, bounded. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FabricError } from '@hyperty/runtime';
import { Mailbox } from '../../../../runtime/src/bus/mailbox.ts';
import { upTo } from '../../../support/party.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a mailbox', () => {
  it('handles everything once, in order and one at a time, under any interleaving', async () => {
    const step = fc.constantFrom('push', 'finish', 'pause', 'resume', 'turn');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.array(fc.boolean()), async (steps, slow) => {
        const handled: number[] = [];
        const finish: (() => void)[] = [];
        let settled = 0;
        let pushed = 0;
        const mailbox = new Mailbox<number>(100, (item) => {
          assert.equal(finish.length, 0, 'two at a time');
          handled.push(item);
          return slow[item] === true ? new Promise<void>((resolve) => finish.push(resolve)) : undefined;
        });
        for (const step of steps) {
          if (step === 'push') {
            const done = mailbox.push((pushed += 1));
            if (done) void done.then(() => (settled += 1));
            else settled += 1;
          }
          if (step === 'finish') finish.shift()?.();
          if (step === 'pause') mailbox.pause();
          if (step === 'resume') mailbox.resume();
          if (step === 'turn') await settle();
        }
        mailbox.resume();
        for (let round = 0; settled < pushed && round < 100; round += 1) {
          finish.shift()?.();
          await settle();
        }
        assert.deepEqual(handled, upTo(pushed));
        assert.equal(settled, pushed);
        assert.equal(mailbox.depth, 0);
      }),
      { seed: 20261124 },
    );
  });

  it('says at once that an item has been handled, when its handler needs no time', () => {
    const mailbox = new Mailbox<number>(1, () => undefined);
    assert.equal(mailbox.push(1), undefined);
  });

  it('refuses with mailbox-full what goes beyond its capacity, and takes more once there is room', async () => {
    let finish: (() => void) | undefined;
    const mailbox = new Mailbox<number>(1, () => new Promise<void>((resolve) => (finish = resolve)));
    void mailbox.push(1);
    void mailbox.push(2);
    assert.throws(
      () => mailbox.push(3),
      (error) => error instanceof FabricError && error.code === 'mailbox-full',
    );
    finish?.();
    await settle();
    void mailbox.push(4);
    assert.equal(mailbox.depth, 1);
  });

  it('holds items back while it is paused', () => {
    const handled: number[] = [];
    const mailbox = new Mailbox<number>(5, (item) => void handled.push(item));
    mailbox.pause();
    void mailbox.push(1);
    void mailbox.push(2);
    assert.deepEqual(handled, []);
    mailbox.resume();
    assert.deepEqual(handled, [1, 2]);
  });

  it('keeps the order of what its own handler pushes', () => {
    const handled: number[] = [];
    const mailbox: Mailbox<number> = new Mailbox<number>(5, (item) => {
      handled.push(item);
      if (item < 3) void mailbox.push(item + 1);
    });
    void mailbox.push(1);
    assert.deepEqual(handled, [1, 2, 3]);
  });

  it('gives back what waits, and settles it, when it is cleared', async () => {
    const mailbox = new Mailbox<number>(5, () => undefined);
    mailbox.pause();
    const waiting = [mailbox.push(1), mailbox.push(2)];
    assert.deepEqual(mailbox.clear(), [1, 2]);
    for (const done of waiting) await done;
    assert.equal(mailbox.depth, 0);
  });
});
