import assert from 'node:assert/strict';
import { createMemoryStorage, type FabricError } from '@hyperty/runtime';
import { eventually } from '../../support/eventually.ts';
import { createPeople, type Person } from '../../support/matrix-people.ts';
import { hostNotebook, notebook, range, sendNotes, type HostedNotebook } from '../../support/notebook.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

describe('a runtime that restarts as the same device', function () {
  this.timeout(60_000);
  const people = createPeople();
  let world: TestWorld;
  let alice: Person;
  let bob: Person;
  let his: HostedNotebook;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  beforeEach(async () => {
    alice = await people.start(world.acme, 'alice');
    bob = await people.start(world.partner, 'bob', { runtime: { storage: createMemoryStorage() } });
    his = hostNotebook(bob.runtime);
    await alice.runtime.ask(his.address, { type: 'note', n: 0 });
  });

  afterEach(() => people.stop());

  /** Ends bob's runtime as a crash would: nobody is told anything. */
  const crash = (): Promise<void> => bob.protostub.stop();

  const startAgain = async (): Promise<void> => {
    bob = await people.start(world.partner, 'bob', { session: bob.session });
    his = hostNotebook(bob.runtime);
  };

  it('is talked to again after it stopped in order; what waited meanwhile arrives', async () => {
    await bob.runtime.stop();
    sendNotes(alice.runtime, his.address, [1, 10]);
    const asked = alice.runtime.ask(his.address, { type: 'note', n: 11 }, { timeoutMs: 50_000 });
    await startAgain();
    await asked;
    assert.deepEqual(his.notes, range(1, 11));
    assert.equal(alice.runtime.deadLetters.total, 0);
  });

  it('is found again after its farewell, although it hosts nothing at first', async () => {
    await bob.runtime.stop();
    await eventually(() => stateOf(alice, bob)?.state === 'opening', 'the farewell');
    sendNotes(alice.runtime, his.address, [1, 10]);
    const asked = alice.runtime.ask(his.address, { type: 'note', n: 11 }, { timeoutMs: 50_000 });
    await startAgain();
    await asked;
    assert.deepEqual(his.notes, range(1, 11));
  });

  it('ends the requests that its crashed life had not acknowledged with offline; the conversation goes on', async () => {
    await crash();
    const lost = alice.runtime.ask(his.address, { type: 'note', n: 1 }, { timeoutMs: 50_000 });
    await eventually(
      () => alice.runtime.inspect().links[0]?.unacknowledged === 1,
      'the request has been sent',
    );
    await startAgain();
    await assert.rejects(lost, (error: FabricError) => {
      assert.equal(error.code, 'offline');
      assert.match(error.message, /restarted before it acknowledged this/);
      return true;
    });
    await alice.runtime.ask(his.address, { type: 'note', n: 2 });
    sendNotes(alice.runtime, his.address, [3, 20]);
    await his.holds(19);
    assert.deepEqual(his.notes, range(2, 20));
  });

  it('greets whom it knew, so that they know of its new life without sending anything', async () => {
    const storage = createMemoryStorage();
    const hers = hostNotebook(alice.runtime);
    const carol = await people.start(world.partner, 'carol', { runtime: { storage } });
    await carol.runtime.ask(hers.address, { type: 'note', n: 1 });
    const before = stateOf(alice, carol)?.lastReceived;
    assert.ok(before);
    await carol.protostub.stop();
    const again = await people.start(world.partner, 'carol', {
      session: carol.session,
      runtime: { storage },
    });
    await eventually(() => stateOf(alice, carol)?.lastReceived === 0, 'alice counts anew');
    assert.equal(stateOf(again, alice)?.state, 'open');
  });

  it('is watched again', async () => {
    const remote = alice.runtime.remote(notebook.at(his.address));
    const seen: unknown[] = [];
    remote.subscribe(({ context }) => seen.push(context?.last));
    await eventually(() => remote.getSnapshot().connection === 'live', 'the first snapshot');
    await crash();
    await startAgain();
    await eventually(async () => {
      await alice.runtime
        .ask(his.address, { type: 'note', n: 5 }, { timeoutMs: 5000 })
        .catch(() => undefined);
      return seen.at(-1) === 5;
    }, 'the snapshot of the new life');
    remote.stop();
  });
});

const stateOf = ({ runtime }: Person, other: Person) =>
  runtime.inspect().links.find(({ peer }) => peer === other.runtime.address);
