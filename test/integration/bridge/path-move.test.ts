import assert from 'node:assert/strict';
import { createMemoryHub, systemClock, type MemoryHub } from '@hyperty/runtime';
import { eventually } from '../../support/eventually.ts';
import { createPeople, type Person } from '../../support/matrix-people.ts';
import { hostNotebook, notebook, range, sendNotes, type HostedNotebook } from '../../support/notebook.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

describe('a link between Matrix and another path', function () {
  this.timeout(60_000);
  const people = createPeople();
  let world: TestWorld;
  let hub: MemoryHub;
  let alice: Person;
  let bob: Person;
  let hers: HostedNotebook;
  let his: HostedNotebook;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  beforeEach(async () => {
    hub = createMemoryHub({ clock: systemClock, faults: () => ({ copies: 1, delayMs: 3 }) });
    alice = await people.start(world.acme, 'alice');
    bob = await people.start(world.partner, 'bob');
    hers = hostNotebook(alice.runtime);
    his = hostNotebook(bob.runtime);
    await alice.runtime.ask(his.address, { type: 'note', n: 0 });
    await bob.runtime.ask(hers.address, { type: 'note', n: 0 });
  });

  afterEach(() => people.stop());

  /** Gives both a direct path besides Matrix. Returns what takes it away again. */
  const addDirectPath = async (): Promise<{ remove: () => Promise<void> }> => {
    const ends = [alice, bob].map(({ runtime }) => ({ runtime, stub: hub.protostub(runtime.address) }));
    const removals = await Promise.all(
      ends.map(({ runtime, stub }) => runtime.addProtostub(stub, { first: true })),
    );
    return {
      remove: async () => {
        for (const remove of removals) remove();
        await Promise.all(ends.map(({ stub }) => stub.stop()));
      },
    };
  };

  const pathsAre = (name: string): Promise<void> =>
    eventually(
      () => [alice, bob].every(({ runtime }) => runtime.inspect().links[0]?.path === name),
      `both use ${name}`,
    );

  /** Sends the notes of both, a few at a time, while `during` goes on after the first of them have arrived. */
  const chatter = async (last: number, during: () => Promise<void>): Promise<void> => {
    const changing = his.holds(20).then(during);
    for (let first = 1; first <= last; first += 5) {
      sendNotes(alice.runtime, his.address, [first, first + 4]);
      sendNotes(bob.runtime, hers.address, [first, first + 4]);
      await eventually(() => his.notes.length > first - 40, 'the notes keep pace');
    }
    await changing;
    await Promise.all([his.holds(last + 1), hers.holds(last + 1)]);
  };

  const assertNothingLost = (last: number): void => {
    assert.deepEqual(his.notes, range(0, last));
    assert.deepEqual(hers.notes, range(0, last));
    assert.equal(alice.runtime.deadLetters.total + bob.runtime.deadLetters.total, 0);
  };

  it('moves to a better one and back, and loses, repeats and reorders nothing', async () => {
    await chatter(600, async () => {
      const { remove } = await addDirectPath();
      await pathsAre('memory');
      await his.holds(300);
      await remove();
      await pathsAre('matrix');
    });
    assertNothingLost(600);
  });

  it('moves when the better one fails, and returns when it works again', async () => {
    await addDirectPath();
    await chatter(600, async () => {
      hub.disconnect(alice.runtime.address);
      hub.disconnect(bob.runtime.address);
      await pathsAre('matrix');
      await his.holds(300);
      hub.reconnect(alice.runtime.address);
      hub.reconnect(bob.runtime.address);
      await pathsAre('memory');
    });
    assertNothingLost(600);
  });

  it('moves even when only one side notices that the better one has failed', async () => {
    await addDirectPath();
    await chatter(300, async () => {
      hub.disconnect(alice.runtime.address);
      await eventually(() => alice.runtime.inspect().links[0]?.path === 'matrix', 'alice uses matrix');
      await his.holds(200);
      hub.reconnect(alice.runtime.address);
    });
    assertNothingLost(300);
  });

  it('carries large messages over a move', async () => {
    const { remove } = await addDirectPath();
    await pathsAre('memory');
    const text = 'x'.repeat(200_000);
    const note = (n: number): Promise<unknown> =>
      alice.runtime.ask(notebook.at(his.address), { type: 'note', n, text }, { timeoutMs: 40_000 });
    const answers = range(1, 6).map(note);
    await his.holds(2);
    await remove();
    await Promise.all(answers);
    assert.deepEqual(his.notes, range(0, 6));
  });

  it('leaves a homeserver that dies, and comes back to it', async () => {
    await chatter(600, async () => {
      await world.acme.homeserver.kill();
      const { remove } = await addDirectPath();
      await his.holds(300);
      await world.acme.homeserver.start();
      await eventually(() => alice.protostub.state === 'live', 'alice is back on Matrix');
      await remove();
    });
    assertNothingLost(600);
  });
});
