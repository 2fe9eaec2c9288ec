import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { createPeople, type Person } from '../../support/matrix-people.ts';
import { hostNotebook, range, sendNotes, type HostedNotebook } from '../../support/notebook.ts';
import { requireSynapse } from '../../support/synapse.ts';
import { sharedWorld, type TestCompany, type TestWorld } from '../../support/world.ts';

const LAST = 400;

describe('a link over an outage', function () {
  this.timeout(120_000);
  const people = createPeople();
  let world: TestWorld;
  let alice: Person;
  let bob: Person;
  let his: HostedNotebook;
  let hers: HostedNotebook;
  /** Frames that alice's homeserver was given. */
  let framesOfAlice: number;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  beforeEach(async () => {
    framesOfAlice = 0;
    const countingFetch: typeof fetch = (input, init) => {
      if (init?.method === 'PUT') framesOfAlice += 1;
      return fetch(input, init);
    };
    alice = await people.start(world.acme, 'alice', { protostub: { fetch: countingFetch } });
    bob = await people.start(world.partner, 'bob');
    hers = hostNotebook(alice.runtime);
    his = hostNotebook(bob.runtime);
    await alice.runtime.ask(his.address, { type: 'note', n: 0 });
    await bob.runtime.ask(hers.address, { type: 'note', n: 0 });
    const waiting = ({ runtime }: Person): boolean =>
      runtime.inspect().links.some((link) => link.waiting > 0);
    await eventually(() => !waiting(alice) && !waiting(bob), 'all acknowledgements');
  });

  afterEach(async () => {
    for (const { homeserver, federationIn } of [world.acme, world.partner]) {
      federationIn.heal();
      await homeserver.start();
    }
    await people.stop();
  });

  /** Sends numbered notes both ways, a few every moment, until `stop` is called or the last one has gone. */
  const chatter = (): { done: Promise<void> } => {
    const talk = async (): Promise<void> => {
      for (let first = 1; first <= LAST; first += 4) {
        sendNotes(alice.runtime, his.address, [first, first + 3]);
        sendNotes(bob.runtime, hers.address, [first, first + 3]);
        await sleep(20);
      }
    };
    return { done: talk() };
  };

  const assertNothingLost = (): void => {
    assert.deepEqual(his.notes, range(0, LAST));
    assert.deepEqual(hers.notes, range(0, LAST));
    assert.deepEqual(alice.runtime.deadLetters.list(), []);
    assert.deepEqual(bob.runtime.deadLetters.list(), []);
  };

  const cases: [string, (world: TestWorld) => TestCompany][] = [
    ['alice’s', ({ acme }) => acme],
    ['bob’s', ({ partner }) => partner],
  ];
  for (const [whose, company] of cases) {
    it(`loses, repeats and reorders nothing when ${whose} homeserver is killed and started again`, async () => {
      const { homeserver } = company(world);
      const talk = chatter();
      await his.holds(50);
      await homeserver.kill();
      await talk.done;
      await homeserver.start();
      const backAt = performance.now();
      await Promise.all([his.holds(LAST + 1), hers.holds(LAST + 1)]);
      console.log(`      all is there ${Math.round(performance.now() - backAt)} ms after it was back`);
      assertNothingLost();
    });
  }

  it('loses, repeats and reorders nothing when both homeservers are killed at once', async () => {
    const talk = chatter();
    await his.holds(50);
    await Promise.all([world.acme.homeserver.kill(), world.partner.homeserver.kill()]);
    await talk.done;
    await Promise.all([world.acme.homeserver.start(), world.partner.homeserver.start()]);
    const backAt = performance.now();
    await Promise.all([his.holds(LAST + 1), hers.holds(LAST + 1)]);
    console.log(`      all is there ${Math.round(performance.now() - backAt)} ms after they were back`);
    assertNothingLost();
  });

  for (const how of ['cut', 'silence'] as const) {
    it(`delivers what was sent during a ${how} of the network, once and in order`, async () => {
      const talk = chatter();
      await his.holds(50);
      for (const { federationIn } of [world.acme, world.partner]) federationIn[how]();
      await talk.done;
      for (const { federationIn } of [world.acme, world.partner]) federationIn.heal();
      const healedAt = performance.now();
      await Promise.all([his.holds(LAST + 1), hers.holds(LAST + 1)]);
      console.log(`      all is there ${Math.round(performance.now() - healedAt)} ms after the healing`);
      assertNothingLost();
    });
  }

  it('tells a request that was never taken from one that was never answered', async () => {
    await assert.rejects(alice.runtime.ask(his.address, { type: 'ponder' }, { timeoutMs: 1000 }), {
      code: 'timeout',
    });
    world.partner.federationIn.cut();
    await assert.rejects(alice.runtime.ask(his.address, { type: 'ponder' }, { timeoutMs: 1000 }), {
      code: 'offline',
    });
    const open = alice.runtime.ask(his.address, { type: 'note', n: 1 }, { timeoutMs: 60_000 });
    world.partner.federationIn.heal();
    await open;
  });

  it('keeps what others have sent when a request has expired meanwhile', async () => {
    world.acme.federationIn.cut();
    world.partner.federationIn.cut();
    sendNotes(bob.runtime, hers.address, [1, 20]);
    await assert.rejects(alice.runtime.ask(his.address, { type: 'note', n: -1 }, { timeoutMs: 500 }), {
      code: 'offline',
    });
    // Its link has noticed the silence: it has sent again after the request had expired.
    const frames = framesOfAlice;
    await eventually(() => framesOfAlice > frames, 'alice’s link sends again');
    world.acme.federationIn.heal();
    world.partner.federationIn.heal();
    sendNotes(bob.runtime, hers.address, [21, 40]);
    sendNotes(alice.runtime, his.address, [1, 20]);
    await Promise.all([
      eventually(() => hers.notes.at(-1) === 40, 'notes of bob'),
      eventually(() => his.notes.at(-1) === 20, 'notes of alice'),
    ]);
    assert.deepEqual(hers.notes, range(0, 40));
    assert.deepEqual(
      his.notes.filter((n) => n >= 0),
      range(0, 20),
    );
  });
});
