/** Opening a link when the system's clock is set back. */
import assert from 'node:assert/strict';
import { defaultLinkSettings, runtimeAddress } from '@hyperty/runtime';
import { createManualClock } from '@hyperty/runtime/testing';
import { Handshake } from '../../../../runtime/src/link/handshake.ts';
import type { Frame } from '../../../../runtime/src/link/frame.ts';

describe('the opening of a link', () => {
  it('says hello again after the clock was set back by an hour', () => {
    const said: Frame[] = [];
    const real = createManualClock();
    let now = real.now();
    const handshake = new Handshake({
      self: runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'DESK' }),
      peer: runtimeAddress({ domain: 'partner.example', owner: 'bob', device: 'DESK' }),
      clock: { ...real, now: () => now },
      settings: defaultLinkSettings,
      hex: (digits) => 'a'.repeat(digits),
      life: 'a'.repeat(32),
      store: () => undefined,
      knownStore: () => undefined,
      say: (frame) => void said.push(frame),
      grant: () => 1,
      opened: () => undefined,
      welcomed: () => undefined,
      refused: () => undefined,
    });
    handshake.sayHello();
    handshake.sayHello();
    assert.equal(said.length, 1, 'at most one hello per half a resend interval');
    now -= 3_600_000;
    handshake.sayHello();
    assert.equal(said.length, 2);
  });
});
