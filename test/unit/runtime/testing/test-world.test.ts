import assert from 'node:assert/strict';
import { FabricError } from '@hyperty/runtime';
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { hostNotebook, notebook, range, sendNotes } from '../../../support/notebook.ts';

describe('test world', () => {
  let world: TestWorld;

  beforeEach(() => (world = createTestWorld({ seed: 7 })));
  afterEach(() => world.stop());

  it('joins runtimes of different domains', async () => {
    const [alice, bob] = await both();
    const { address } = hostNotebook(bob);
    const answer = await world.until(alice.ask(notebook.at(address), { type: 'note', n: 1 }));
    assert.equal(answer.type, 'noted');
  });

  it('refuses what is no account', async () => {
    await assert.rejects(
      world.runtime('alice'),
      (error) => error instanceof FabricError && error.code === 'invalid',
    );
  });

  it('loses, repeats and reorders frames, and links make up for it', async () => {
    const [alice, bob] = await both();
    const { address, notes } = hostNotebook(bob);
    world.faults.drop(0.3);
    world.faults.duplicate(0.3);
    world.faults.delay({ minMs: 5, maxMs: 200 });
    sendNotes(alice, address, [1, 100]);
    await world.advance(300_000);
    assert.deepEqual(notes, range(1, 100));
  });

  it('plays the same faults again for the same seed', async () => {
    const play = async (): Promise<unknown> => {
      const again = createTestWorld({ seed: 42 });
      const alice = await again.runtime('alice@acme.example');
      const bob = await again.runtime('bob@partner.example');
      again.faults.drop(0.5);
      const { address } = hostNotebook(bob);
      await again.until(alice.ask(notebook.at(address), { type: 'note', n: 1 }, { timeoutMs: 600_000 }));
      const took = again.clock.now();
      await again.stop();
      return took;
    };
    assert.equal(await play(), await play());
  });

  it('delivers nothing between two partitioned domains until they are healed', async () => {
    const [alice, bob] = await both();
    const { address, notes } = hostNotebook(bob);
    world.faults.partition('partner.example', 'acme.example');
    sendNotes(alice, address, [1, 3]);
    await world.advance(10_000);
    assert.deepEqual(notes, []);
    world.faults.heal();
    await world.advance(60_000);
    assert.deepEqual(notes, [1, 2, 3]);
  });

  it('holds back what a disconnected runtime says until it is connected again', async () => {
    const [alice, bob] = await both();
    const { address, notes } = hostNotebook(bob);
    world.faults.disconnect(alice);
    sendNotes(alice, address, [1, 3]);
    await world.advance(10_000);
    assert.deepEqual(notes, []);
    world.faults.reconnect(alice);
    await world.advance(60_000);
    assert.deepEqual(notes, [1, 2, 3]);
  });

  it('leaves no timer behind when it has stopped', async () => {
    const [alice, bob] = await both();
    const { address } = hostNotebook(bob);
    alice.remote(notebook.at(address)).subscribe(() => undefined);
    await world.settle();
    await world.stop();
    assert.equal(world.clock.pending, 0);
  });

  const both = () => Promise.all([world.runtime('alice@acme.example'), world.runtime('bob@partner.example')]);
});
