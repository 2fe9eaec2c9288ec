/** The end of a durable hyperty: all who wait for it are told, nothing of it stays, and a later one of its name is a new one. */
import assert from 'node:assert/strict';
import { createMemoryStore, defineHyperty, FabricError, hypertyAddress, reply, type Accepted, type HypertyAddress, type Runtime } from '@hyperty/runtime'; // prettier-ignore
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createMachine, setup } from 'xstate';
import * as z from 'zod';
import { keys } from '../../../../runtime/src/durable/keys.ts';
import { alarm, counter, createAccount, teller, type Account } from '../../../support/durable-party.ts';
import { failsWith } from '../../../support/hosting.ts';

const accepts = { end: z.object({}), ping: z.object({}) };

/** Answers until it is told to end. */
const mortal = defineHyperty({
  descriptor: { name: 'mortal', version: '1.0.0' },
  accepts,
  emits: { pong: z.object({}) },
  durable: { version: 1 },
  machine: setup({ types: { events: {} as Accepted<typeof accepts> } }).createMachine({
    initial: 'alive',
    states: {
      alive: { on: { end: 'dead', ping: { actions: reply({ type: 'pong' }) } } },
      dead: { type: 'final' },
    },
  }),
});

/** A definition to which nothing leads from what was kept under the name. */
const later = (name: string) =>
  defineHyperty({
    descriptor: { name, version: '1.0.0' },
    accepts: counter.accepts,
    emits: {},
    durable: { version: 3 },
    machine: createMachine({}),
  });

const at = (name: string): HypertyAddress => hypertyAddress({ domain: 'acme.example', owner: 'alice', name });

describe('the end of a durable hyperty', () => {
  let world: TestWorld;
  let alice: Account;
  beforeEach(() => {
    world = createTestWorld();
    alice = createAccount(world, 'alice@acme.example', () => undefined);
  });
  afterEach(() => world.stop());

  /** A process of alice's, once what earlier ones had is free. */
  const begin = async (): Promise<{ runtime: Runtime; kill(): void }> => {
    const life = await alice.start();
    await world.advance(6000);
    return life;
  };
  const add = (runtime: Runtime, name: string) =>
    world.until(runtime.ask(at(name), { type: 'add', amount: 1 }));
  /** What the store has that names a hyperty. */
  const traces = (name: string): string[] =>
    [...alice.medium.values.keys()].filter((key) => key.includes(at(name)));

  it('answers all who wait, however many there are', async () => {
    const { runtime } = await begin();
    await world.until(runtime.host(mortal).ready);
    void runtime.ask(at('mortal'), { type: 'end' }).catch(() => undefined); // it ends without an answer
    const codes: unknown[] = [];
    for (let n = 0; n < 300; n += 1) {
      const pinged = runtime.ask(at('mortal'), { type: 'ping' }, { timeoutMs: 20_000 });
      void pinged.catch((error: unknown) => codes.push(FabricError.from(error).code));
    }
    await world.advance(30_000);
    assert.deepEqual(codes, Array<string>(300).fill('closed'));
    assert.deepEqual(traces('mortal'), []);
  });

  it('leaves nothing in the store: neither marks of senders nor mail that came meanwhile', async () => {
    const store = createMemoryStore({ clock: world.clock });
    const bob = await world.runtime('bob@partner.example', { store });
    const { address, ready } = bob.host(teller);
    const { runtime } = await begin();
    const counters = runtime.hostKind(counter);
    await world.until(Promise.all([ready, counters.create('one')]));
    await world.until(bob.ask(address, { type: 'pay', amount: 1, to: at('one') }));
    await world.advance(1000);
    assert.ok(alice.medium.values.has(keys.mark(at('one'), address)));
    const removed = counters.remove('one');
    void bob.ask(address, { type: 'pay', amount: 1, to: at('one') });
    for (let n = 0; n < 300; n += 1) void runtime.ask(at('one'), { type: 'read' }).catch(() => undefined); // it is told `closed`
    await world.until(removed);
    await world.advance(1000);
    assert.deepEqual(traces('one'), []);
  });

  it('comes also to one that cannot run, with its alarms and marks', async () => {
    const bob = await world.runtime('bob@partner.example');
    const first = await begin();
    await world.until(first.runtime.host(alarm).ready);
    await world.until(bob.ask(at('alarm'), { type: 'rings' }));
    first.kill();
    const kind = (await begin()).runtime.hostKind(later('alarm'));
    await world.advance(6000);
    assert.deepEqual(
      traces('alarm')
        .map((key) => key.charAt(0))
        .toSorted(),
      ['d', 'r', 't'],
    );
    await world.until(kind.remove('alarm'));
    assert.deepEqual(traces('alarm'), []);
  });

  it('comes also to one of which the store has only damage', async () => {
    alice.medium.values.set(keys.record(at('one')), '{damaged');
    const { runtime } = await begin();
    const counters = runtime.hostKind(counter);
    await world.until(counters.remove('one'));
    assert.deepEqual(traces('one'), []);
    await world.until(counters.create('one'));
    assert.deepEqual(await add(runtime, 'one'), { type: 'total', total: 1 });
  });

  it('refuses what waited for one that could not run, and a later one of the name gets none of it', async () => {
    const first = await begin();
    await world.until(first.runtime.host(counter).ready);
    await add(first.runtime, 'counter');
    first.kill();
    const second = await begin();
    const kind = second.runtime.hostKind(later('counter'));
    const waiting = assert.rejects(add(second.runtime, 'counter'), failsWith('closed', /has ended/));
    await world.advance(1000);
    await world.until(kind.remove('counter'));
    await waiting;
    await world.until(second.runtime.stop());
    const { runtime } = await begin();
    await world.until(runtime.host(counter).ready);
    assert.deepEqual(await add(runtime, 'counter'), { type: 'total', total: 1 });
  });

  it('leaves mail that came too late to nobody: a later one of the name gets none of it', async () => {
    const to = at('one');
    const envelope = { id: 'late', from: at('two'), to, type: 'event', body: { type: 'add', amount: 5 } };
    alice.medium.values.set(keys.mail(to, '0000000000000001-other'), JSON.stringify({ envelope }));
    const { runtime } = await begin();
    await world.until(runtime.hostKind(counter).create('one'));
    assert.deepEqual(await add(runtime, 'one'), { type: 'total', total: 1 });
  });
});
