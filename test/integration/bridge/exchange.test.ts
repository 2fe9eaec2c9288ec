import assert from 'node:assert/strict';
import { systemClock, type Clock } from '@hyperty/runtime';
import { eventually } from '../../support/eventually.ts';
import { createPeople } from '../../support/matrix-people.ts';
import { hostNotebook, notebook, range, sendNotes } from '../../support/notebook.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../../support/world.ts';

describe('two companies on Matrix', function () {
  this.timeout(60_000);
  const people = createPeople();
  let world: TestWorld;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  afterEach(() => people.stop());

  it('let ordinary accounts ask each other, knowing nothing but an address', async () => {
    const bob = await people.start(world.partner, 'bob');
    const { address } = hostNotebook(bob.runtime);
    const alice = await people.start(world.acme, 'alice');
    assert.deepEqual(await alice.runtime.ask(notebook.at(address), { type: 'note', n: 7, text: 'four' }), {
      type: 'noted',
      n: 7,
      chars: 4,
    });
    const [link] = alice.runtime.inspect().links;
    assert.equal(link?.path, 'matrix');
    assert.equal(link.peer, bob.runtime.address);
  });

  it('let a reference follow snapshots, and hear what is emitted', async () => {
    const bob = await people.start(world.partner, 'bob');
    const { address } = hostNotebook(bob.runtime);
    const alice = await people.start(world.acme, 'alice');
    const remote = alice.runtime.remote(notebook.at(address));
    const counts: unknown[] = [];
    const shouts: string[] = [];
    remote.subscribe(({ context }) => {
      if (context && context.count !== counts.at(-1)) counts.push(context.count);
    });
    remote.on('shouted', ({ text }) => shouts.push(text));
    await eventually(() => remote.getSnapshot().connection === 'live', 'the first snapshot');
    for (const n of range(1, 20)) remote.send({ type: 'note', n });
    remote.send({ type: 'shout', text: 'hear, hear' });
    await eventually(() => shouts.length === 1, 'the emitted event');
    assert.deepEqual(counts, range(0, 20));
    assert.deepEqual(remote.getSnapshot().context, { last: 20, count: 20 });
    assert.deepEqual(shouts, ['hear, hear']);
    remote.stop();
  });

  it('carry a thousand events in order', async () => {
    const bob = await people.start(world.partner, 'bob');
    const book = hostNotebook(bob.runtime);
    const alice = await people.start(world.acme, 'alice');
    sendNotes(alice.runtime, book.address, [1, 1000]);
    await book.holds(1000);
    assert.deepEqual(book.notes, range(1, 1000));
  });

  it('carry events both ways at once', async () => {
    const alice = await people.start(world.acme, 'alice');
    const bob = await people.start(world.partner, 'bob');
    const hers = hostNotebook(alice.runtime);
    const his = hostNotebook(bob.runtime);
    for (let first = 1; first <= 500; first += 50) {
      sendNotes(alice.runtime, his.address, [first, first + 49]);
      sendNotes(bob.runtime, hers.address, [first, first + 49]);
      await his.holds(first);
    }
    await Promise.all([hers.holds(500), his.holds(500)]);
    assert.deepEqual(hers.notes, range(1, 500));
    assert.deepEqual(his.notes, range(1, 500));
    assert.equal(alice.runtime.inspect().links.length, 1, 'one link serves both');
  });

  for (const aheadMs of [600_000, -600_000]) {
    it(`keep deadlines when the clock of one is ${aheadMs / 60_000} minutes ahead`, async () => {
      const bob = await people.start(world.partner, 'bob', { runtime: { clock: clockAhead(aheadMs) } });
      const { address } = hostNotebook(bob.runtime);
      const alice = await people.start(world.acme, 'alice');
      for (const n of range(1, 3)) await alice.runtime.ask(address, { type: 'note', n }, { timeoutMs: 5000 });
      const hers = hostNotebook(alice.runtime);
      await bob.runtime.ask(hers.address, { type: 'note', n: 1 }, { timeoutMs: 5000 });
      await assert.rejects(alice.runtime.ask(address, { type: 'ponder' }, { timeoutMs: 300 }), {
        code: 'timeout',
      });
      const skewMs = alice.runtime.inspect().links[0]?.skewMs ?? 0;
      assert.ok(Math.abs(skewMs - aheadMs) < 5000, `${skewMs} ms were measured`);
      assert.ok(alice.log.some(({ message }) => message.includes('check NTP')));
    });
  }

  it('say what is wrong with an address where nobody answers', async () => {
    const alice = await people.start(world.acme, 'alice');
    await people.start(world.partner, 'bob');
    await world.partner.register('idle');
    const { serverName } = world.partner;
    const wrongs: [address: string, code: string, text: RegExp][] = [
      [`hyperty://${serverName}/nobody/notebook`, 'not-found', /There is no account @nobody:/],
      [`hyperty://${serverName}/bob/diary`, 'not-found', /runs no hyperty of that name; check the address/],
      [`hyperty://${serverName}/idle/notebook`, 'offline', /it may be switched off/],
      ['hyperty://nowhere.localhost:9/bob/notebook', 'no-route', /nowhere\.localhost:9 cannot be reached/],
      [`hyperty://${serverName}/notebook`, 'no-route', /names no owner/],
      [`hyperty://${world.acme.serverName}/alice/diary`, 'not-found', /alice\/diary/],
    ];
    await Promise.all(
      wrongs.map(([address, code, text]) =>
        assert.rejects(alice.runtime.ask(address, { type: 'note', n: 1 }, { timeoutMs: 6000 }), (error) => {
          assert.equal((error as { code: unknown }).code, code, `${address}: ${String(error)}`);
          assert.match((error as Error).message, text);
          return true;
        }),
      ),
    );
  });
});

/** A clock that is so far ahead of everybody else's. */
function clockAhead(ms: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + ms };
}
