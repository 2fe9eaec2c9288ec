/** How a hyperty handles what comes in, where handling goes wrong or in circles. */
import assert from 'node:assert/strict';
import { defineHyperty, remote, reply, type Accepted, type AnyDefinition } from '@hyperty/runtime';
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { createMachine, sendTo, setup } from 'xstate';
import * as z from 'zod';
import { refusedAs } from '../../../support/refused.ts';

const accepts = { ping: z.object({ n: z.number() }) };
const emits = { pong: z.object({ n: z.number() }) };
const types = { events: {} as Accepted<typeof accepts> };
const answer = reply(({ event }: { event: Accepted<typeof accepts> }) => ({ type: 'pong', n: event.n }));

describe('handling in a hyperty', () => {
  let world: TestWorld;

  beforeEach(() => {
    world = createTestWorld();
  });

  afterEach(async () => {
    await world.stop();
    assert.equal(world.clock.pending, 0, 'timers are left');
  });

  it('goes on after a guard has thrown: that question ends as a crash, the next one is answered', async () => {
    const bob = await world.runtime('bob@partner.example');
    const machine = setup({
      types,
      guards: {
        lucky: ({ event }) => {
          if (event.n === 13) throw new Error('unlucky');
          return true;
        },
      },
    }).createMachine({ on: { ping: { guard: 'lucky', actions: answer } } });
    const { peer } = bob.host(
      defineHyperty({ descriptor: { name: 'guarded', version: '1.0.0' }, accepts, emits, machine }),
    );
    await assert.rejects(world.until(bob.ask(peer, { type: 'ping', n: 13 })), refusedAs('crashed'));
    const next = await world.until(bob.ask(peer, { type: 'ping', n: 14 }));
    assert.equal(next.n, 14);
  });

  it('keeps what waits over a restart that fails', async () => {
    const bob = await world.runtime('bob@partner.example');
    let isBroken = true;
    const start = (): void => {
      if (isBroken) throw new Error('cannot start');
    };
    const machine = setup({ types }).createMachine({ entry: start, on: { ping: { actions: answer } } });
    const hosted = bob.host(
      defineHyperty({ descriptor: { name: 'starter', version: '1.0.0' }, accepts, emits, machine }),
    );
    const asking = bob.ask(hosted.peer, { type: 'ping', n: 1 });
    await world.advance(150); // the first restart has failed, the second is due
    assert.deepEqual([hosted.status, hosted.mailboxDepth], ['restarting', 1]);
    isBroken = false;
    const answered = await world.until(asking);
    assert.equal(answered.n, 1);
  });

  it('keeps to itself why it cannot show what it exposes', async () => {
    const bob = await world.runtime('bob@partner.example');
    const { address } = bob.host(
      defineHyperty({
        descriptor: { name: 'shy', version: '1.0.0' },
        accepts,
        emits,
        machine: createMachine({}),
        expose: () => {
          throw new Error('the secret');
        },
      }),
    );
    const alice = await world.runtime('alice@acme.example');
    const ref = alice.remote(ball.at(address));
    let failure: unknown;
    ref.subscribe({ error: (error) => void (failure = error) });
    await world.advance(1000);
    assert.ok(refusedAs('crashed')(failure));
    assert.ok(!JSON.stringify(failure).includes('secret'));
  });

  it('goes on between two hyperties of one runtime that answer each event with an event', async () => {
    const bob = await world.runtime('bob@partner.example');
    const seen: number[] = [];
    const first = bob.host(player('first', 'second', seen));
    const second = bob.host(player('second', 'first', seen));
    bob.remote(first.peer).send({ type: 'ping', n: 10 });
    await world.advance(1000);
    assert.deepEqual(seen, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert.deepEqual([first.mailboxDepth, second.mailboxDepth], [0, 0]);
  });

  it('goes on in a hyperty that sends events to itself', async () => {
    const bob = await world.runtime('bob@partner.example');
    const seen: number[] = [];
    const { peer } = bob.host(player('lonely', 'lonely', seen));
    bob.remote(peer).send({ type: 'ping', n: 5 });
    await world.advance(1000);
    assert.deepEqual(seen, [5, 4, 3, 2, 1]);
  });
});

describe('a hyperty with strict schemas', () => {
  const strict = { ping: z.strictObject({ n: z.number() }) };
  const definition = defineHyperty({
    descriptor: { name: 'strict', version: '1.0.0' },
    accepts: strict,
    emits: { pong: z.strictObject({ n: z.number() }) },
    machine: setup({ types: { events: {} as Accepted<typeof strict> } }).createMachine({
      on: { ping: { actions: reply(({ event }) => ({ type: 'pong', n: event.n })) } },
    }),
  });

  it('takes events of their shape, and refuses fields that they do not name', async () => {
    const world = createTestWorld();
    const bob = await world.runtime('bob@partner.example');
    const { peer } = bob.host(definition);
    const { n } = await world.until(bob.ask(peer, { type: 'ping', n: 3 }));
    assert.equal(n, 3);
    const asking = bob.ask(peer.address, { type: 'ping', n: 3, more: true });
    await assert.rejects(world.until(asking), refusedAs('schema', 'Unrecognized key: "more"'));
    await world.stop();
  });
});

const ball = defineHyperty({
  descriptor: { name: 'ball', version: '1.0.0' },
  accepts,
  emits: {},
  machine: createMachine({}),
});

/** Sends each ball back, one lower, until it is zero. */
function player(name: string, opponent: string, seen: number[]) {
  const machine = setup({ types, actors: { opponent: remote(ball) } }).createMachine({
    invoke: {
      id: 'opponent',
      src: 'opponent',
      input: { address: `hyperty://partner.example/bob/${opponent}` },
    },
    on: {
      ping: {
        guard: ({ event }) => event.n > 0,
        actions: [
          ({ event }) => seen.push(event.n),
          sendTo('opponent', ({ event }) => ({ type: 'ping' as const, n: event.n - 1 })),
        ],
      },
    },
  });
  const definition = defineHyperty({ descriptor: { name, version: '1.0.0' }, accepts, emits: {}, machine });
  return definition satisfies AnyDefinition;
}
