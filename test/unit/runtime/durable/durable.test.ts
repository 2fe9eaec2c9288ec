import assert from 'node:assert/strict';
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import type { Runtime } from '@hyperty/runtime';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { alarm, armed, buyer, counter, createAccount, hold, teller, world as outside, type Account } from '../../../support/durable-party.ts'; // prettier-ignore
import { failsWith } from '../../../support/hosting.ts';

const COUNTER = 'hyperty://acme.example/alice/counter';
const hostAll = (runtime: Runtime): void => {
  runtime.host(counter);
  runtime.host(teller);
  runtime.host(buyer);
  runtime.host(alarm);
};

describe('a durable hyperty', () => {
  let world: TestWorld;
  let alice: Account;
  beforeEach(() => {
    world = createTestWorld();
    alice = createAccount(world, 'alice@acme.example', hostAll);
    armed.clear();
    outside.length = 0;
    hold.until = undefined;
  });
  afterEach(() => world.stop());

  const ask = (runtime: Runtime, name: string, event: { type: string; [field: string]: unknown }) =>
    world.until(runtime.ask(`hyperty://acme.example/alice/${name}`, event));
  const restart = async (life: { kill(): void }): Promise<Runtime> => {
    life.kill();
    const { runtime } = await alice.start();
    await world.advance(6000); // until the leases of the dead process have run out
    return runtime;
  };

  it('goes on where it stood when its process is killed', async () => {
    const first = await alice.start();
    assert.deepEqual(await ask(first.runtime, 'counter', { type: 'add', amount: 5 }), {
      type: 'total',
      total: 5,
    });
    const second = await restart(first);
    assert.deepEqual(await ask(second, 'counter', { type: 'add', amount: 2 }), { type: 'total', total: 7 });
  });

  it('sends what it said before it was killed, once', async () => {
    const first = await alice.start();
    for (let i = 0; i < 5; i += 1)
      await ask(first.runtime, 'teller', { type: 'pay', amount: 1, to: COUNTER });
    const second = await restart(first);
    await world.advance(1000);
    assert.deepEqual(await ask(second, 'counter', { type: 'read' }), { type: 'total', total: 5 });
  });

  it('keeps its timers over a restart', async () => {
    const first = await alice.start();
    first.runtime.remote(alarm.at('hyperty://acme.example/alice/alarm')).send({ type: 'start' });
    await world.advance(20_000);
    const second = await restart(first);
    await world.advance(30_000);
    assert.equal(((await ask(second, 'alarm', { type: 'rings' })) as { after: number }).after, 0);
    await world.advance(5000);
    assert.equal(((await ask(second, 'alarm', { type: 'rings' })) as { after: number }).after, 1);
  });

  it('is reminded each morning, also of those when nobody was there', async () => {
    const durable = { leaseMs: 3_600_000, passivateAfterMs: 3_600_000 };
    const first = await alice.start({ durable });
    await world.advance(9 * 3_600_000);
    first.kill();
    await world.advance(3 * 24 * 3_600_000);
    const { runtime: second } = await alice.start({ durable });
    await world.advance(3_700_000);
    const rung = (await ask(second, 'alarm', { type: 'rings' })) as { mornings: number[]; missed: number };
    assert.deepEqual(
      rung.mornings.map((at) => new Date(at).toISOString()),
      ['2026-01-01T08:00:00.000Z', '2026-01-04T08:00:00.000Z'],
    );
    assert.equal(rung.missed, 2);
  });

  it('waits for the answer to its question over a restart, and has asked once', async () => {
    const first = await alice.start();
    await ask(first.runtime, 'buyer', { type: 'buy', shop: COUNTER }).catch(() => undefined);
    const second = await restart(first);
    await world.advance(1000);
    assert.deepEqual(await ask(second, 'buyer', { type: 'status' }), {
      type: 'is',
      bought: 1,
      total: 1,
    });
    assert.deepEqual(await ask(second, 'counter', { type: 'read' }), { type: 'total', total: 1 });
  });

  it('gives an effect that a crash cut off the same key again, and no effect that was kept', async () => {
    const first = await alice.start();
    let let_go = (): void => undefined;
    hold.until = new Promise((resolve) => (let_go = resolve));
    void first.runtime
      .ask('hyperty://acme.example/alice/buyer', { type: 'buy', shop: COUNTER })
      .catch(() => undefined);
    await world.advance(1000);
    assert.equal(outside.length, 1);
    hold.until = undefined;
    const second = await restart(first);
    let_go();
    await world.advance(1000);
    assert.deepEqual(outside, [
      { key: outside[0]?.key, isRetry: false },
      { key: outside[0]?.key, isRetry: true },
    ]);
    assert.deepEqual(await ask(second, 'buyer', { type: 'status' }), {
      type: 'is',
      bought: 1,
      total: 1,
    });
  });

  it('parks a message at which it crashes each time, and goes on with the others', async () => {
    const { runtime } = await alice.start();
    await assert.rejects(ask(runtime, 'counter', { type: 'crash', when: 'always' }), failsWith('crashed'));
    assert.deepEqual(await ask(runtime, 'counter', { type: 'add', amount: 1 }), { type: 'total', total: 1 });
    const parked = await runtime.parked();
    assert.equal(parked.length, 1);
    assert.match(parked[0]?.error.message ?? '', /told to crash: always/);
  });

  it('handles a parked message again when it is told to', async () => {
    const { runtime } = await alice.start();
    armed.add('today');
    await assert.rejects(ask(runtime, 'counter', { type: 'crash', when: 'today' }), failsWith('crashed'));
    armed.clear();
    const [parked] = await runtime.parked();
    assert.ok(parked);
    await runtime.unpark(parked, 'retry');
    await world.advance(1000);
    assert.deepEqual(await runtime.parked(), []);
    assert.deepEqual(await ask(runtime, 'counter', { type: 'add', amount: 1 }), { type: 'total', total: 1 });
  });
});
