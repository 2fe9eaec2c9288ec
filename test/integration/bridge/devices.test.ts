import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.ts';
import { createPeople, type Person } from '../../support/matrix-people.ts';
import { hostNotebook, notebook, range, sendNotes } from '../../support/notebook.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

const DEVICES = 12;

describe('an owner with twelve runtimes', function () {
  this.timeout(60_000);
  const people = createPeople();
  let world: TestWorld;
  let alice: Person;
  let devices: readonly Person[];

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  beforeEach(async () => {
    alice = await people.start(world.acme, 'alice');
    await world.partner.register('edgar'); // the account, before its devices race for it
    devices = await Promise.all(range(1, DEVICES).map(() => people.start(world.partner, 'edgar')));
  });

  afterEach(() => people.stop());

  const deviceAt = (index: number): Person => {
    const device = devices.at(index);
    assert.ok(device);
    return device;
  };

  it('is found at the one that hosts what is asked for', async () => {
    const books = devices.map(({ runtime }, index) => hostNotebook(runtime, `book-${index}`));
    await Promise.all(
      books.map(({ address }, n) => alice.runtime.ask(notebook.at(address), { type: 'note', n })),
    );
    assert.deepEqual(
      books.map(({ notes }) => notes),
      range(0, DEVICES - 1).map((n) => [n]),
    );
    assert.equal(alice.runtime.inspect().links.length, DEVICES);
  });

  it('talks among its own runtimes in the same way', async () => {
    const { address } = hostNotebook(deviceAt(0).runtime);
    await Promise.all(
      devices.slice(1).map(({ runtime }, n) => runtime.ask(notebook.at(address), { type: 'note', n })),
    );
  });

  it('is found again when a hyperty has moved to another runtime, both running', async () => {
    const first = hostNotebook(deviceAt(3).runtime);
    await alice.runtime.ask(first.address, { type: 'note', n: 1 });
    first.stop();
    const second = hostNotebook(deviceAt(7).runtime);
    // The old place says that it is not there any more, once.
    await alice.runtime.ask(first.address, { type: 'note', n: 2 }).catch((error: unknown) => {
      assert.equal((error as { code: unknown }).code, 'not-found');
    });
    await alice.runtime.ask(second.address, { type: 'note', n: 3 });
    assert.equal(second.notes.at(-1), 3);
  });

  it('is found again when its runtime has stopped', async () => {
    const first = hostNotebook(deviceAt(3).runtime);
    await alice.runtime.ask(first.address, { type: 'note', n: 1 });
    await deviceAt(3).runtime.stop();
    const second = hostNotebook(deviceAt(7).runtime);
    const { address } = deviceAt(3).runtime;
    const link = (): unknown => alice.runtime.inspect().links.find(({ peer }) => peer === address)?.state;
    await eventually(() => link() === 'opening', 'the farewell of the first runtime');
    const beganAt = performance.now();
    await alice.runtime.ask(second.address, { type: 'note', n: 2 }, { timeoutMs: 40_000 });
    console.log(`      found after ${Math.round(performance.now() - beganAt)} ms`);
    assert.deepEqual(second.notes, [2]);
  });

  it('is found again when its runtime has crashed', async () => {
    const first = hostNotebook(deviceAt(3).runtime);
    await alice.runtime.ask(first.address, { type: 'note', n: 1 });
    await deviceAt(3).protostub.stop();
    const second = hostNotebook(deviceAt(7).runtime);
    const beganAt = performance.now();
    await eventually(async () => {
      const asking = alice.runtime.ask(second.address, { type: 'note', n: 2 }, { timeoutMs: 4000 });
      return asking.then(
        () => true,
        () => false,
      );
    }, 'the hyperty at its new place');
    console.log(`      found after ${Math.round(performance.now() - beganAt)} ms`);
    sendNotes(alice.runtime, second.address, [3, 20]);
    await second.holds(19);
    assert.deepEqual(second.notes, range(2, 20));
  });
});
