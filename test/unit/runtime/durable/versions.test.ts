import assert from 'node:assert/strict';
import { defineHyperty, reply, type Accepted, type Durability, type Runtime } from '@hyperty/runtime';
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { assign, setup } from 'xstate';
import * as z from 'zod';
import { createAccount, type Account } from '../../../support/durable-party.ts';
import { failsWith } from '../../../support/hosting.ts';

const accepts = { add: z.object({ amount: z.number() }), odd: z.object({}) };
const emits = { total: z.object({ total: z.number() }) };
const ADDRESS = 'hyperty://acme.example/alice/sum';

const fields: Record<string, unknown> = {};

/** A sum whose context has the fields of its version. */
const sum = (durable: Durability, field: string, extra: Record<string, unknown> = {}) =>
  defineHyperty({
    descriptor: { name: 'sum', version: '1.0.0' },
    accepts,
    emits,
    durable,
    machine: setup({
      types: { context: fields, events: {} as Accepted<typeof accepts> },
    }).createMachine({
      context: { [field]: 0, ...extra },
      initial: 'open',
      states: {
        open: {
          on: {
            add: {
              actions: [
                assign(({ context, event }) => ({ [field]: (context[field] as number) + event.amount })),
                reply(({ context }) => ({ type: 'total', total: context[field] })),
              ],
            },
            odd: { actions: [assign({ odd: () => new Map() }), reply({ type: 'total', total: -1 })] },
          },
        },
      },
    }),
  });

describe('a version of a durable hyperty', () => {
  let world: TestWorld;
  let alice: Account;
  let hosted: Parameters<typeof createAccount>[2];
  beforeEach(() => {
    world = createTestWorld();
    alice = createAccount(world, 'alice@acme.example', (runtime) => hosted(runtime));
  });
  afterEach(() => world.stop());

  const add = (runtime: Runtime, timeoutMs = 30_000) =>
    world.until(runtime.ask(ADDRESS, { type: 'add', amount: 1 }, { timeoutMs }));
  const lives = async (host: (runtime: Runtime) => void): Promise<Runtime> => {
    hosted = host;
    const { runtime } = await alice.start();
    await world.advance(6000);
    return runtime;
  };
  const firstLife = async (): Promise<void> => {
    const runtime = await lives((one) => one.host(sum({ version: 1 }, 'total')));
    await add(runtime);
    await world.until(runtime.stop());
  };

  it('goes on from an earlier one by the migrations in between', async () => {
    await firstLife();
    const migrations = {
      1: (snapshot: { context: { total: number } }) => ({
        ...snapshot,
        context: { amount: snapshot.context.total },
      }),
      2: (snapshot: { context: { amount: number } }) => ({
        ...snapshot,
        context: { cents: snapshot.context.amount * 100 },
      }),
    };
    const runtime = await lives((one) => one.host(sum({ version: 3, migrations }, 'cents')));
    assert.deepEqual(await add(runtime), { type: 'total', total: 101 });
  });

  it('does not run where a migration is missing, says which, and keeps its messages', async () => {
    await firstLife();
    const second = await lives((one) => one.host(sum({ version: 3 }, 'total')));
    await assert.rejects(add(second, 1000), failsWith('closed', /cannot run at present/));
    const [shown] = second.inspect().hyperties;
    assert.equal(shown?.status, 'halted');
    assert.match(shown.reason ?? '', /version 1 .* add migrations\[1\].*messages are kept/);
    second.remote(sum({ version: 3 }, 'total').at(ADDRESS)).send({ type: 'add', amount: 5 });
    await world.advance(1000);
    await world.until(second.stop());
    const third = await lives((one) => one.host(sum({ version: 1 }, 'total')));
    assert.deepEqual(await add(third), { type: 'total', total: 7 });
  });

  it('does not run what a newer one has kept', async () => {
    const newer = await lives((one) => one.host(sum({ version: 2 }, 'total')));
    await add(newer);
    await world.until(newer.stop());
    const older = await lives((one) => one.host(sum({ version: 1 }, 'total')));
    await assert.rejects(add(older, 1000), failsWith('closed', /cannot run at present/));
    assert.match(
      older.inspect().hyperties[0]?.reason ?? '',
      /version 2 .*this is version 1: update this process/,
    );
  });

  it('does not run where its context does not fit, and names the field', async () => {
    await firstLife();
    const context = z.object({ total: z.string() });
    const runtime = await lives((one) => one.host(sum({ version: 1, context }, 'total')));
    await assert.rejects(add(runtime, 1000), failsWith('closed', /cannot run at present/));
    assert.match(runtime.inspect().hyperties[0]?.reason ?? '', /does not fit its definition: total/);
  });

  it('waits, with its messages, for its definition to be hosted', async () => {
    await firstLife();
    const runtime = await lives(() => undefined);
    const answer = runtime.ask(ADDRESS, { type: 'add', amount: 1 });
    await world.advance(1000);
    assert.match(runtime.inspect().hyperties[0]?.reason ?? '', /kept for a "sum".*host it/);
    runtime.hostKind(sum({ version: 1 }, 'total'));
    assert.deepEqual(await world.until(answer), { type: 'total', total: 2 });
  });

  it('is refused when its first state is not plain data', async () => {
    const errors: unknown[] = [];
    const runtime = await lives(() => undefined);
    const made = runtime.host(sum({ version: 1 }, 'total', { when: new Date(0) }));
    await world.until(made.ready.catch((error: unknown) => errors.push(error)));
    assert.match(
      String((errors[0] as Error).cause),
      /snapshot\.context\.when is a Date, which cannot be kept/,
    );
  });

  it('loses no state to a message that makes it odd: that one is parked', async () => {
    const runtime = await lives((one) => one.host(sum({ version: 1 }, 'total')));
    await add(runtime);
    await assert.rejects(world.until(runtime.ask(ADDRESS, { type: 'odd' })), failsWith('crashed'));
    assert.match((await runtime.parked())[0]?.error.message ?? '', /snapshot\.context\.odd is a Map/);
    assert.deepEqual(await add(runtime), { type: 'total', total: 2 });
  });
});
