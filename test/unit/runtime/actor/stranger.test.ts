/** What one peer that misbehaves can do to the others: nothing. */
import assert from 'node:assert/strict';
import { defineHyperty, remote, reply, type Accepted } from '@hyperty/runtime';
import { createTestWorld } from '@hyperty/runtime/testing';
import { setup } from 'xstate';
import * as z from 'zod';

const accepts = { greet: z.object({}) };
const greeter = defineHyperty({
  descriptor: { name: 'greeter', version: '1.0.0' },
  accepts,
  emits: { greeted: z.object({}) },
  machine: setup({ types: { events: {} as Accepted<typeof accepts> } }).createMachine({
    on: { greet: { actions: reply({ type: 'greeted' }) } },
  }),
});

describe('a hyperty among strangers', () => {
  it('goes on serving others when one peer takes none of its many answers', async () => {
    const world = createTestWorld({
      runtime: { links: { windowEnvelopes: 64, congestedAt: 8, fullAt: 256 } },
    });
    const bob = await world.runtime('bob@partner.example');
    const alice = await world.runtime('alice@acme.example');
    const mallory = await world.runtime('mallory@evil.example');
    const { peer } = bob.host(greeter);
    await world.until(mallory.ask(peer, { type: 'greet' }));
    const asked = Array.from({ length: 60 }, () =>
      mallory.ask(peer, { type: 'greet' }).catch(() => undefined),
    );
    await Promise.resolve();
    world.faults.disconnect(mallory);
    await world.advance(1000);
    assert.deepEqual(await world.until(alice.ask(peer, { type: 'greet' })), { type: 'greeted' });
    await world.advance(60_000);
    await Promise.all(asked);
    await world.stop();
  });

  it('loses the children of a machine that crashes', async () => {
    const world = createTestWorld();
    const alice = await world.runtime('alice@acme.example');
    const bob = await world.runtime('bob@partner.example');
    const { address } = bob.host(greeter);
    const crashing = { crash: z.object({}) };
    const watcher = defineHyperty({
      descriptor: { name: 'watcher', version: '1.0.0' },
      accepts: crashing,
      emits: {},
      machine: setup({
        types: { events: {} as Accepted<typeof crashing> },
        actors: { greeter: remote(greeter) },
      }).createMachine({
        invoke: { src: 'greeter', input: { address }, onError: {} },
        on: {
          crash: {
            actions: () => {
              throw new Error('a fault of the watcher');
            },
          },
        },
      }),
    });
    const hosted = alice.host(watcher, { supervision: { maxRestarts: 2, thenDo: 'stop' } });
    await world.advance(1000);
    const ref = alice.remote(hosted.peer);
    for (let crash = 0; crash < 3; crash += 1) {
      ref.send({ type: 'crash' });
      await world.advance(1000);
    }
    assert.equal(hosted.status, 'stopped');
    ref.stop();
    await world.stop();
    assert.equal(world.clock.pending, 0);
  });
});
