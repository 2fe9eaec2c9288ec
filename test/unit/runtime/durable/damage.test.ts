/** A store that was damaged, or put back from a copy: what is bad in it holds up nothing else, and nothing comes twice. */
import assert from 'node:assert/strict';
import { createMemoryStore, defineHyperty, hypertyAddress, type HypertyAddress, type MemoryMedium, type Runtime } from '@hyperty/runtime'; // prettier-ignore
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createMachine } from 'xstate';
import { keys, shardOf } from '../../../../runtime/src/durable/keys.ts';
import { armed, counter, createAccount, teller, type Account, type Life } from '../../../support/durable-party.ts'; // prettier-ignore
import { failsWith } from '../../../support/hosting.ts';

/** Cannot even begin. */
const bomb = defineHyperty({
  descriptor: { name: 'bomb', version: '1.0.0' },
  accepts: {},
  emits: {},
  durable: { version: 1 },
  machine: createMachine({
    entry: () => {
      throw new Error('boom');
    },
  }),
});

const at = (name: string): HypertyAddress => hypertyAddress({ domain: 'acme.example', owner: 'alice', name });

/** A name that begins with `initial`, and whose hyperty is in the shard of another one. */
function neighbourOf(name: string, initial: string): string {
  for (let n = 0; ; n += 1) {
    const neighbour = `${initial}${n}`;
    if (shardOf(at(neighbour)) === shardOf(at(name))) return neighbour;
  }
}

/** What a store has now; the function puts it back. */
function copyOf({ values, leases }: MemoryMedium, isLeftOut: (key: string) => boolean): () => void {
  const copy = [...values].filter(([key]) => !isLeftOut(key));
  const copiedLeases = [...leases];
  return () => {
    values.clear();
    leases.clear();
    for (const [key, value] of copy) values.set(key, value);
    for (const [name, record] of copiedLeases) leases.set(name, record);
  };
}

describe('the store of durable hyperties', () => {
  let world: TestWorld;
  let alice: Account;
  let bob: Runtime;
  /** The counter of bob's, whose store stays well. */
  let paid: HypertyAddress;
  beforeEach(async () => {
    world = createTestWorld();
    alice = createAccount(world, 'alice@acme.example', () => undefined);
    armed.clear();
    bob = await world.runtime('bob@partner.example', { store: createMemoryStore({ clock: world.clock }) });
    const { address, ready } = bob.host(counter);
    await world.until(ready);
    paid = address;
  });
  afterEach(() => world.stop());

  const pay = (runtime: Runtime, name: string) =>
    world.until(runtime.ask(at(name), { type: 'pay', amount: 1, to: paid }));
  const totalPaid = () => world.until(bob.ask(paid, { type: 'read' }));
  /** A process of alice's that has paid once more. */
  const payAnew = async (): Promise<Life> => {
    await world.advance(6000); // until the leases of the dead process have run out
    const life = await alice.start();
    await world.until(life.runtime.host(teller).ready);
    await pay(life.runtime, 'teller');
    await world.advance(3000);
    return life;
  };

  it('has those made that can be made, where others cannot', async () => {
    const { values } = alice.medium;
    const damaged = neighbourOf('bomb', 'x');
    const good = neighbourOf('bomb', 'z'); // the last of its shard
    values.set(keys.creation(at('bomb')), JSON.stringify({ machine: 'bomb' }));
    values.set(keys.creation(at(damaged)), '{damaged');
    values.set(keys.creation(at(good)), JSON.stringify({ machine: 'counter' }));
    const { runtime } = await alice.start();
    runtime.hostKind(bomb);
    runtime.hostKind(counter);
    await world.advance(60_000);
    assert.ok(values.has(keys.record(at(good))));
    assert.deepEqual(
      [...values.keys()].filter((key) => key.startsWith('c/')),
      [],
    );
  });

  it('has messages sent where one before them is damaged, and keeps that for people to see', async () => {
    const damaged = keys.outgoing(at('damaged'), 1);
    alice.medium.values.set(damaged, '{damaged');
    const name = neighbourOf('damaged', 'z');
    const { runtime } = await alice.start();
    await world.until(runtime.hostKind(teller).create(name));
    await pay(runtime, name);
    await world.advance(60_000);
    assert.deepEqual(await totalPaid(), { type: 'total', total: 1 });
    assert.equal(alice.medium.values.get(damaged), '{damaged');
  });

  const copies = [
    { what: 'a copy', isLeftOut: () => false },
    { what: 'a backup without its epoch', isLeftOut: (key: string) => key === keys.epoch },
  ];
  for (const { what, isLeftOut } of copies)
    it(`goes on sending when it is put back from ${what}, and its peer takes all`, async () => {
      let life = await payAnew();
      const putBack = copyOf(alice.medium, isLeftOut);
      for (let n = 0; n < 3; n += 1) {
        life.kill(); // each life has leases of its own
        life = await payAnew();
      }
      life.kill();
      putBack();
      life = await payAnew();
      await pay(life.runtime, 'teller');
      await world.advance(120_000);
      assert.deepEqual(await totalPaid(), { type: 'total', total: 6 });
    });

  it('gives a parked message back once, when it is retried twice at the same time', async () => {
    const { runtime } = await alice.start();
    runtime.host(counter);
    armed.add('today');
    const crash = world.until(runtime.ask(at('counter'), { type: 'crash', when: 'today' }));
    await assert.rejects(crash, failsWith('crashed'));
    const [parked] = await runtime.parked();
    assert.ok(parked);
    const first = runtime.unpark(parked, 'retry');
    await assert.rejects(runtime.unpark(parked, 'retry'), failsWith('not-found'));
    await first;
    await world.advance(10_000);
    assert.equal((await runtime.parked()).length, 1, 'it is parked as often as it came');
  });
});
