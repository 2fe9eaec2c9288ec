import assert from 'node:assert/strict';
import { createMemoryStore, defineHyperty, effect, reply, type Accepted, type Durability, type Envelope } from '@hyperty/runtime'; // prettier-ignore
import { createManualClock, createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createMachine, setup } from 'xstate';
import * as z from 'zod';
import { OpenRequests } from '../../../../runtime/src/actor/open-requests.ts';
import { Postbox } from '../../../../runtime/src/durable/postbox.ts';
import { Reminders } from '../../../../runtime/src/durable/reminders.ts';
import { numberAt, Sequencer } from '../../../../runtime/src/durable/sequencer.ts';
import { parseAddress } from '../../../../runtime/src/message/address.ts';
import { createAccount, type Account } from '../../../support/durable-party.ts';
import { failsWith } from '../../../support/hosting.ts';

const accepts = { pay: z.object({}), status: z.object({}) };
const calls: { readonly key: string; readonly isRetry: boolean }[] = [];
const clumsy = { stumbles: 0 };

/** Pays by an effect, and stumbles over its result as often as it is told to. */
const payer = defineHyperty({
  descriptor: { name: 'payer', version: '1.0.0' },
  accepts,
  emits: { is: z.object({ paid: z.boolean() }) },
  durable: { version: 1 },
  machine: setup({
    types: { events: {} as Accepted<typeof accepts> },
    actors: {
      pay: effect(async ({ key, isRetry }: { key: string; isRetry: boolean }) => {
        calls.push({ key, isRetry });
        return { receipt: key };
      }),
    },
  }).createMachine({
    initial: 'resting',
    on: { status: { actions: reply({ type: 'is', paid: false }) } },
    states: {
      resting: { on: { pay: 'paying' } },
      paying: {
        invoke: {
          src: 'pay',
          onDone: {
            target: 'paid',
            actions: () => {
              clumsy.stumbles -= 1;
              if (clumsy.stumbles >= 0) throw new Error('stumbled over the receipt');
            },
          },
        },
      },
      paid: { on: { status: { actions: reply({ type: 'is', paid: true }) } } },
    },
  }),
});

const headerOf = (id: string, from: string): Parameters<OpenRequests['add']>[0] => ({
  id,
  from: parseAddress(from),
  to: parseAddress('hyperty://acme.example/alice/till'),
  type: 'execute',
});

describe('what a durable hyperty keeps', () => {
  let world: TestWorld;
  let alice: Account;
  beforeEach(() => {
    world = createTestWorld();
    alice = createAccount(world, 'alice@acme.example', (runtime) => runtime.host(payer));
    calls.length = 0;
    clumsy.stumbles = 0;
  });
  afterEach(() => world.stop());

  it('is the result of an effect before its machine sees it: stumbling over it does not call it again', async () => {
    const { runtime } = await alice.start();
    clumsy.stumbles = 3;
    runtime.remote(payer.at('hyperty://acme.example/alice/payer')).send({ type: 'pay' });
    await world.advance(10_000);
    assert.equal(calls.length, 1);
    const status = runtime.ask('hyperty://acme.example/alice/payer', { type: 'status' });
    assert.deepEqual(await world.until(status), { type: 'is', paid: true });
    assert.deepEqual(
      [...alice.medium.values.keys()].filter((key) => key.startsWith('x/')),
      [],
    );
  });

  it('is that result over a restart, too', async () => {
    const first = await alice.start();
    clumsy.stumbles = 1000;
    first.runtime.remote(payer.at('hyperty://acme.example/alice/payer')).send({ type: 'pay' });
    await world.advance(10_000);
    first.kill();
    clumsy.stumbles = 0;
    const { runtime } = await alice.start();
    await world.advance(10_000);
    assert.equal(calls.length, 1);
    const status = runtime.ask('hyperty://acme.example/alice/payer', { type: 'status' });
    assert.deepEqual(await world.until(status), { type: 'is', paid: true });
  });

  it('is so many open requests of one owner, whatever its devices are called', () => {
    const open = new OpenRequests({ capacity: 10, perOwner: 3 });
    for (let n = 0; n < 5; n += 1)
      open.add(headerOf(`mallory-${n}`, `runtime://evil.example/mallory/d${n}`), 0);
    open.add(headerOf('bob', 'runtime://partner.example/bob/pc'), 0);
    assert.deepEqual(
      open.list().map(({ id }) => id),
      ['mallory-2', 'mallory-3', 'mallory-4', 'bob'],
    );
  });
});

describe('a number of the future', () => {
  it('is refused, as all that its sender says until then would count as repeated', () => {
    const clock = createManualClock();
    const sequencer = new Sequencer(() => clock.now());
    const postbox = new Postbox({
      store: createMemoryStore(),
      clock,
      sequencer,
      tag: 'test',
      arrived: () => true,
    });
    const to = parseAddress('hyperty://acme.example/alice/till');
    const from = parseAddress('hyperty://evil.example/mallory/payer');
    const message = (ms: number): Envelope => ({
      id: 'one',
      from,
      to,
      type: 'event',
      seq: { epoch: 'mallory0', token: 1, number: numberAt(ms) },
    });
    const farAhead = message(clock.now() + 25 * 3_600_000);
    assert.throws(() => postbox.take(farAhead, undefined, undefined), failsWith('invalid', /of the future/));
    assert.doesNotThrow(() => postbox.take(message(clock.now() + 3_600_000), undefined, undefined));
  });
});

describe('reminders', () => {
  const daily = {
    schedule: {
      rrule: 'FREQ=DAILY;BYHOUR=8;BYMINUTE=0;BYSECOND=0',
      timeZone: 'UTC',
      start: '2026-01-01T08:00:00',
      missed: 'run-once',
    },
    event: { type: 'morning' },
  };
  const DAY_MS = 24 * 3_600_000;

  it('of malformed ids are refused', () => {
    for (const id of ['', '__proto__', 'a b', 'x'.repeat(129)])
      assert.throws(
        () => new Reminders({}).set(id, { id, ...daily }, 0),
        failsWith('invalid', /is no id of a reminder/),
      );
  });

  it('come again as soon as a clock that was years ahead has been set right', async () => {
    const now = Date.UTC(2026, 0, 10);
    const reminders = new Reminders({ morning: { ...daily, afterMs: now + 3650 * DAY_MS } });
    await reminders.open(now);
    assert.equal(reminders.nextMs, now + 8 * 3_600_000);
  });

  it('are not given twice by a clock that goes back for a while', async () => {
    const given = Date.UTC(2026, 0, 10, 8);
    const reminders = new Reminders({ morning: { ...daily, afterMs: given } });
    await reminders.open(given - 2 * 3_600_000);
    assert.equal(reminders.nextMs, given + DAY_MS);
  });
});

describe('the versions of a durable definition', () => {
  const defined = (durable: Durability): unknown =>
    defineHyperty({ descriptor: { name: 'any', version: '1.0.0' }, accepts: {}, emits: {}, durable, machine: createMachine({}) }); // prettier-ignore
  const same = (snapshot: unknown): unknown => snapshot;

  it('are whole numbers from one on', () => {
    for (const version of [0, -1, 1.5, Number.NaN])
      assert.throws(() => defined({ version }), /durable.version must be a whole number from 1 on/);
  });

  it('are led to without a gap, by migrations that lead somewhere', () => {
    assert.throws(() => defined({ version: 2, migrations: { 2: same } }), /migrations\[2\] leads nowhere/);
    assert.throws(
      () => defined({ version: 4, migrations: { 1: same, 3: same } }),
      /migrations\[2\] is missing/,
    );
    assert.doesNotThrow(() => defined({ version: 4, migrations: { 2: same, 3: same } }));
  });
});
