import assert from 'node:assert/strict';
import { defineHyperty, effect, reply, type Accepted, type Durability } from '@hyperty/runtime'; // prettier-ignore
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createMachine, setup } from 'xstate';
import * as z from 'zod';
import { OpenRequests } from '../../../../runtime/src/actor/open-requests.ts';
import { Reminders } from '../../../../runtime/src/durable/reminders.ts';
import { parseAddress } from '../../../../runtime/src/message/address.ts';
import { createAccount, type Account } from '../../../support/durable-party.ts';
import { failsWith } from '../../../support/hosting.ts';

const accepts = { pay: z.object({}), status: z.object({}), crash: z.object({}) };
const calls: { readonly key: string; readonly isRetry: boolean }[] = [];
const clumsy = { stumbles: 0 };
const slow: { until: Promise<undefined> | undefined } = { until: undefined };

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
        await slow.until;
        return { receipt: key };
      }),
    },
  }).createMachine({
    initial: 'resting',
    on: {
      status: { actions: reply({ type: 'is', paid: false }) },
      crash: {
        actions: () => {
          throw new Error('told to crash');
        },
      },
    },
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
    slow.until = undefined;
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

  it('is the result of an effect although the hyperty crashed meanwhile at something else', async () => {
    const { runtime } = await alice.start();
    const held = Promise.withResolvers<undefined>();
    slow.until = held.promise;
    runtime.remote(payer.at('hyperty://acme.example/alice/payer')).send({ type: 'pay' });
    await world.advance(1000);
    await world.until(
      runtime.ask('hyperty://acme.example/alice/payer', { type: 'crash' }).catch(() => undefined),
    );
    assert.equal(calls.length, 2);
    held.resolve(undefined);
    await world.advance(1000);
    const status = runtime.ask('hyperty://acme.example/alice/payer', { type: 'status' });
    assert.deepEqual(await world.until(status), { type: 'is', paid: true });
    assert.equal(new Set(calls.map(({ key }) => key)).size, 1);
    assert.deepEqual(
      [...alice.medium.values.keys()].filter((key) => key.startsWith('x/')),
      [],
    );
  });

  it('is so many open requests in all, of which those of the busiest domain go first', () => {
    const open = new OpenRequests({ capacity: 3, perOwner: 3 });
    open.add(headerOf('bob', 'runtime://partner.example/bob/pc'), 0);
    for (let n = 0; n < 5; n += 1) open.add(headerOf(`evil-${n}`, `runtime://evil.example/m${n}/d`), 0);
    assert.deepEqual(
      open.list().map(({ id }) => id),
      ['bob', 'evil-3', 'evil-4'],
    );
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
