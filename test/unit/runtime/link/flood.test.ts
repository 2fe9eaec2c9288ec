/** Two hyperties that send each other more at once than a link lets through. */
import assert from 'node:assert/strict';
import { defineHyperty, remote, type Accepted, type Runtime } from '@hyperty/runtime';
import { createTestWorld } from '@hyperty/runtime/testing';
import { createMachine, enqueueActions, setup } from 'xstate';
import * as z from 'zod';
import { upTo } from '../../../support/party.ts';

const COUNT = 400;
const LINKS = { windowEnvelopes: 64, congestedAt: 64 };
const accepts = { note: z.object({ n: z.number() }), pour: z.object({}) };
const peer = defineHyperty({
  descriptor: { name: 'peer', version: '1.0.0' },
  accepts,
  emits: {},
  machine: createMachine({}),
});

/** Writes down notes; told to pour, it sends all of its own at once. */
const pourer = (address: string, noted: number[]) =>
  defineHyperty({
    descriptor: { name: 'pourer', version: '1.0.0' },
    accepts,
    emits: {},
    machine: setup({
      types: { events: {} as Accepted<typeof accepts> },
      actors: { peer: remote(peer) },
    }).createMachine({
      invoke: { id: 'peer', src: 'peer', input: { address } },
      on: {
        note: { actions: ({ event }) => noted.push(event.n) },
        pour: {
          actions: enqueueActions(({ enqueue }) => {
            for (const n of upTo(COUNT)) enqueue.sendTo('peer', { type: 'note', n });
          }),
        },
      },
    }),
  });

describe('two hyperties that flood each other', () => {
  it('both get everything in order, instead of waiting for each other for ever', async () => {
    const world = createTestWorld({ runtime: { links: LINKS } });
    const alice = await world.runtime('alice@acme.example');
    const bob = await world.runtime('bob@partner.example');
    const noted: { alice: number[]; bob: number[] } = { alice: [], bob: [] };
    const sides: [Runtime, ReturnType<typeof pourer>][] = [
      [alice, pourer('hyperty://partner.example/bob/pourer', noted.alice)],
      [bob, pourer('hyperty://acme.example/alice/pourer', noted.bob)],
    ];
    const pours: (() => void)[] = [];
    for (const [runtime, definition] of sides) {
      const hosted = runtime.host(definition);
      await world.advance(1000); // it has found its peer, or knows that it is not there yet
      pours.push(() => runtime.remote(hosted.peer).send({ type: 'pour' }));
    }
    await world.advance(10_000);
    for (const pour of pours) pour();
    await world.advance(60_000);
    assert.deepEqual(noted, { alice: upTo(COUNT), bob: upTo(COUNT) });
    await world.stop();
    assert.equal(world.clock.pending, 0);
  });

  it('is held back while the other one takes nothing, but serves others again after a while', async () => {
    const world = createTestWorld({ runtime: { links: LINKS } });
    const alice = await world.runtime('alice@acme.example');
    const bob = await world.runtime('bob@partner.example');
    bob.incoming.use((envelope) => (envelope.type === 'event' ? new Promise(() => undefined) : envelope)); // nothing is ever handled
    const noted: number[] = [];
    bob.host(peer, { name: 'pourer' });
    const hosted = alice.host(pourer('hyperty://partner.example/bob/pourer', noted));
    await world.advance(1000); // it has found its peer
    const ref = alice.remote(hosted.peer);
    ref.send({ type: 'pour' });
    await world.advance(1000);
    ref.send({ type: 'note', n: 1 });
    await world.advance(2000);
    assert.deepEqual([hosted.mailboxDepth, noted], [1, []]);
    await world.advance(60_000);
    assert.deepEqual([hosted.mailboxDepth, noted], [0, [1]]);
    await world.stop();
  });
});
