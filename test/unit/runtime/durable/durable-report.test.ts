import assert from 'node:assert/strict';
import { createMemoryStore, type DurableReport, type Runtime } from '@hyperty/runtime';
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { readDurableReport } from '../../../../runtime/src/durable/durable-report.ts';
import { keys } from '../../../../runtime/src/durable/keys.ts';
import { unparkByHand } from '../../../../runtime/src/durable/unpark-by-hand.ts';
import type { HypertyAddress } from '../../../../runtime/src/message/address.ts';
import {
  alarm,
  armed,
  counter,
  createAccount,
  teller,
  type Account,
} from '../../../support/durable-party.ts';
import { failsWith } from '../../../support/hosting.ts';

const HOME = 'hyperty://acme.example/alice';
const COUNTER = `${HOME}/counter` as HypertyAddress;

describe('the report of durable hyperties', () => {
  let world: TestWorld;
  let alice: Account;
  beforeEach(() => {
    world = createTestWorld();
    armed.clear();
    alice = createAccount(world, 'alice@acme.example', (runtime) => {
      runtime.host(counter);
      runtime.host(alarm);
      runtime.host(teller);
    });
  });
  afterEach(() => world.stop());

  const report = async (runtime: Runtime): Promise<DurableReport> => {
    const found = await world.until(runtime.inspectDurable());
    assert.ok(found);
    return found;
  };
  const tell = (runtime: Runtime, to: string, event: object): void => {
    runtime.remote(counter.at(to)).send(event as never);
  };

  it('lists those in memory and those that are not, with state, version and when they are woken', async () => {
    const { runtime } = await alice.start({ durable: { passivateAfterMs: 1000 } });
    runtime.remote(alarm.at(`${HOME}/alarm`)).send({ type: 'start' });
    await world.advance(5000);
    assert.deepEqual(runtime.inspect().hyperties, []);
    const { hyperties, total } = await report(runtime);
    assert.deepEqual(total.hyperties, { count: 3, isMore: false });
    const found = hyperties.find(({ address }) => address === `${HOME}/alarm`);
    assert.equal(found?.machine, 'alarm');
    assert.equal(found.version, 1);
    assert.equal(found.state, 'waiting');
    const [after, morning] = found.wakes;
    assert.equal(after?.event, 'after 60000');
    assert.equal(morning?.reminder, 'morning');
    assert.equal(new Date(morning.dueMs).toISOString(), '2026-01-01T08:00:00.000Z');
  });

  it('counts what is on its way, by receiver', async () => {
    const { runtime } = await alice.start();
    const pay = (to: string) => runtime.ask(`${HOME}/teller`, { type: 'pay', amount: 1, to });
    for (const to of ['bob', 'bob', 'carol'])
      await world.until(pay(`hyperty://partner.example/${to}/counter`));
    const { outgoing, total } = await report(runtime);
    assert.deepEqual(outgoing, [
      { to: 'hyperty://partner.example/bob/counter', messages: 2 },
      { to: 'hyperty://partner.example/carol/counter', messages: 1 },
    ]);
    assert.deepEqual(total.outgoing, { count: 3, isMore: false });
  });

  it('shows parked messages, with what they say and the id that the log names', async () => {
    const { runtime } = await alice.start();
    tell(runtime, COUNTER, { type: 'crash', when: 'always' });
    await world.advance(10_000);
    const { parked, total } = await report(runtime);
    assert.equal(total.parked.count, 1);
    assert.equal(parked[0]?.address, COUNTER);
    assert.equal(parked[0].type, 'event');
    assert.equal(parked[0].from, runtime.address);
    assert.equal(parked[0].attempts, 5);
    assert.deepEqual(parked[0].error, { name: 'Error', message: 'told to crash: always' });
    assert.equal(parked[0].event, 'crash');
    assert.deepEqual(parked[0].body, { type: 'crash', when: 'always' });
    assert.match(parked[0].id ?? '', /^[0-9a-f-]{36}$/);
  });

  it('says nothing in a runtime without a store', async () => {
    const bob = await world.runtime('bob@partner.example');
    assert.equal(await bob.inspectDurable(), undefined);
  });

  it('reads on over damage', async () => {
    const store = createMemoryStore();
    await store.commit([
      { key: keys.record(COUNTER), value: '{"machine":' },
      { key: keys.outgoing(COUNTER, 1), value: 'null' },
      { key: keys.parked(COUNTER, '1-a'), value: '7' },
    ]);
    const { hyperties, outgoing, parked } = await readDurableReport(store);
    assert.deepEqual(hyperties, [{ address: COUNTER, mailbox: { count: 0, isMore: false }, wakes: [] }]);
    assert.deepEqual(outgoing, [{ to: '?', messages: 1 }]);
    assert.match(parked[0]?.error.message ?? '', /damaged/);
  });

  it('lists and counts only so much, and says that there is more', async () => {
    const store = createMemoryStore();
    const at = (n: number) => `${HOME}/h${n}` as HypertyAddress;
    const value = JSON.stringify({ machine: 'counter', version: 1, snapshot: { value: 'on' } });
    const all = Array.from({ length: 1500 }, (_, n) => n);
    await store.commit(all.map((n) => ({ key: keys.record(at(n)), value })));
    await store.commit(all.map((n) => ({ key: keys.mail(at(0), String(n)), value: '{}' })));
    await store.commit([1, 700, 1499].map((n) => ({ key: keys.mail(at(n), '1'), value: '{}' })));
    await store.commit(all.map((n) => ({ key: keys.parked(at(n), '1'), value: '{}' })));
    const { hyperties, parked, total } = await readDurableReport(store);
    assert.equal(hyperties.length, 1000);
    assert.equal(parked.length, 1000);
    assert.deepEqual(total.hyperties, { count: 1000, isMore: true });
    assert.equal(total.mail.isMore, true);
    const boxes = new Map(hyperties.map(({ address, mailbox }) => [address, mailbox]));
    assert.deepEqual(boxes.get(at(0)), { count: 1000, isMore: true });
    for (const n of [1, 700, 1499]) assert.deepEqual(boxes.get(at(n)), { count: 1, isMore: false });
  });
});

describe('unparking by hand', () => {
  let world: TestWorld;
  let alice: Account;
  beforeEach(() => {
    world = createTestWorld();
    alice = createAccount(world, 'alice@acme.example', (runtime) => void runtime.host(counter));
    armed.clear();
    armed.add('now');
  });
  afterEach(() => world.stop());

  const total = (runtime: Runtime) => world.until(runtime.ask(counter.at(COUNTER), { type: 'read' }));
  const parkOne = async (): Promise<Runtime> => {
    const { runtime } = await alice.start();
    runtime.remote(counter.at(COUNTER)).send({ type: 'crash', when: 'now' });
    await world.advance(10_000);
    return runtime;
  };
  const hand = () => ({
    store: createMemoryStore({ medium: alice.medium, clock: world.clock }),
    clock: world.clock,
    life: 'hand-of-a-person',
  });

  it('puts a message back, which is handled when a runtime runs again', async () => {
    const runtime = await parkOne();
    const [message] = await world.until(runtime.parked());
    assert.ok(message);
    await world.until(runtime.stop());
    await world.until(unparkByHand(message, 'retry', hand()));
    armed.clear(); // the cause is mended
    const { runtime: again } = await alice.start();
    await world.advance(1000);
    assert.deepEqual(await total(again), { type: 'total', total: 0 });
    assert.deepEqual(await world.until(again.parked()), []);
    await assert.rejects(world.until(again.unpark(message, 'drop')), failsWith('not-found'));
  });

  it('drops a message for good', async () => {
    const runtime = await parkOne();
    const [message] = await world.until(runtime.parked());
    assert.ok(message);
    await world.until(runtime.stop());
    await world.until(unparkByHand(message, 'drop', hand()));
    await assert.rejects(world.until(unparkByHand(message, 'drop', hand())), failsWith('not-found'));
  });

  it('is refused while a runtime uses the store', async () => {
    const runtime = await parkOne();
    const [message] = await world.until(runtime.parked());
    assert.ok(message);
    await assert.rejects(
      world.until(unparkByHand(message, 'retry', hand())),
      failsWith('conflict', /A runtime uses/),
    );
    assert.equal((await world.until(runtime.parked())).length, 1);
  });
});
