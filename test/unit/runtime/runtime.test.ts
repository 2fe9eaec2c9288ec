import assert from 'node:assert/strict';
import {
  createMemoryHub,
  createMemoryStorage,
  createRuntime,
  FabricError,
  runtimeAddress,
  silentLogger,
} from '@hyperty/runtime';
import { createManualClock, createTestWorld } from '@hyperty/runtime/testing';
import { failsWith, hostWorkshop, startPair, type Pair } from '../../support/hosting.ts';

const aliceAtDesk = runtimeAddress({ domain: 'acme.example', owner: 'alice', device: 'DESK' });
const bobAtDesk = runtimeAddress({ domain: 'partner.example', owner: 'bob', device: 'DESK' });

describe('runtime', () => {
  let pair: Pair;

  beforeEach(async () => (pair = await startPair()));
  afterEach(() => pair.world.stop());

  it('starts once and stops once, however often it is asked', async () => {
    await pair.alice.start();
    await pair.world.until(Promise.all([pair.alice.stop(), pair.alice.stop()]));
    await pair.alice.stop();
    await assert.rejects(pair.alice.start(), TypeError);
    assert.throws(() => hostWorkshop(pair.alice), failsWith('closed'));
  });

  it('has stopped for everybody who asked when it has stopped for one', async () => {
    const unanswered = pair.alice.ask('hyperty://guest.example/carol/desk', { type: 'hello' });
    const order: string[] = [];
    const stops = ['first', 'second'].map((name) => pair.alice.stop().then(() => order.push(name)));
    await pair.world.until(Promise.all([assert.rejects(unanswered, failsWith('closed')), ...stops]));
    assert.deepEqual(order, ['first', 'second']);
  });

  it('sends nothing before its start and after its stop, and says so', async () => {
    const clock = createManualClock();
    const runtime = createRuntime({
      protostubs: [createMemoryHub({ clock }).protostub(aliceAtDesk)],
      clock,
      logger: silentLogger,
    });
    const ask = () => runtime.ask('hyperty://partner.example/bob/desk', { type: 'hello' });
    await assert.rejects(ask(), failsWith('closed'));
    await clock.until(Promise.all([runtime.start(), runtime.start()]));
    await clock.until(runtime.stop());
    await assert.rejects(ask(), failsWith('closed'));
    assert.equal(clock.pending, 0);
  });

  it('stops its protostubs and says why when one cannot start', async () => {
    const clock = createManualClock();
    const hub = createMemoryHub({ clock });
    const good = hub.protostub(aliceAtDesk);
    const bad = hub.protostub(aliceAtDesk);
    bad.start = () => Promise.reject(new FabricError('unauthenticated', 'The token was not accepted.'));
    const runtime = createRuntime({ protostubs: [good, bad], clock, logger: silentLogger });
    await assert.rejects(runtime.start(), failsWith('unauthenticated'));
    assert.equal(good.state, 'closed');
    assert.equal(clock.pending, 0);
  });

  it('refuses protostubs that give it different addresses', () => {
    const hub = createMemoryHub({ clock: createManualClock() });
    const protostubs = [hub.protostub(aliceAtDesk), hub.protostub(bobAtDesk)] as const;
    assert.throws(() => createRuntime({ protostubs: [...protostubs] }), /One runtime, one address/);
  });

  it('sends what it still has to say before it stops', async () => {
    const { address, actor } = hostWorkshop(pair.bob);
    pair.world.faults.delay({ minMs: 200, maxMs: 300 });
    const reference = pair.alice.remote({ ...hostWorkshop(pair.alice).peer, address });
    for (const item of ['a', 'b', 'c']) reference.send({ type: 'work', item });
    await pair.world.until(pair.alice.stop());
    assert.equal((actor.getSnapshot() as { context: { count: number } }).context.count, 3);
    assert.equal(pair.alice.deadLetters.total, 0);
  });

  it('gives up draining after its time, and keeps what was left as dead letters', async () => {
    const { peer } = hostWorkshop(pair.bob);
    pair.world.faults.partition('acme.example', 'partner.example');
    pair.alice.remote(peer).send({ type: 'work', item: 'a' });
    const began = pair.world.clock.now();
    await pair.world.until(pair.alice.stop({ drainMs: 500 }));
    assert.ok(pair.world.clock.now() - began <= 510);
    assert.deepEqual(
      pair.alice.deadLetters.list().map(({ error }) => error.code),
      ['closed'],
    );
  });

  it('ends its questions with closed, and stops its hyperties, when it stops', async () => {
    const { peer } = hostWorkshop(pair.bob);
    const own = hostWorkshop(pair.alice);
    const asked = pair.alice.ask(peer, { type: 'ponder' });
    const ended = assert.rejects(asked, failsWith('closed'));
    await pair.world.settle();
    await pair.world.until(pair.alice.stop());
    await ended;
    assert.equal(own.status, 'stopped');
    assert.deepEqual(pair.alice.hosted(), []);
  });

  it('leaves no timer behind, whatever was under way when it stopped', async () => {
    const world = createTestWorld();
    const alice = await world.runtime('alice@acme.example');
    const bob = await world.runtime('bob@partner.example');
    const shop = hostWorkshop(bob);
    hostWorkshop(alice);
    alice.remote(shop.peer).subscribe(() => undefined);
    bob
      .remote({ ...shop.peer, address: alice.hosted()[0]?.address ?? shop.address })
      .subscribe(() => undefined);
    const pondering = alice.ask(shop.peer, { type: 'ponder' }).catch(() => undefined);
    const crashing = alice.ask(shop.peer, { type: 'crash' }).catch(() => undefined);
    const searching = alice.ask('hyperty://guest.example/carol/nobody', { type: 'x' }).catch(() => undefined);
    await world.settle();
    world.faults.partition('acme.example', 'partner.example');
    alice.remote(shop.peer).send({ type: 'work', item: 'chair' });
    await world.advance(5000);
    await world.stop();
    await Promise.all([pondering, crashing, searching]);
    assert.equal(world.clock.pending, 0);
  });

  it('tells its state', async () => {
    const { peer, address } = hostWorkshop(pair.bob);
    void pair.alice.ask(peer, { type: 'ponder' }).catch(() => undefined);
    await pair.world.settle();
    const asking = pair.alice.inspect();
    assert.equal(asking.address, pair.alice.address);
    assert.equal(asking.pendingRequests, 1);
    assert.equal(asking.deadLetters, 0);
    assert.equal(asking.links[0]?.peer, pair.bob.address);
    assert.deepEqual(pair.bob.inspect().hyperties, [{ address, status: 'running', mailboxDepth: 0 }]);
  });

  it('answers read with its time, and nothing else', async () => {
    const time = pair.world.clock.now();
    const read = pair.bob.incoming.use((envelope) =>
      envelope.type === 'execute' ? { ...envelope, type: 'read' } : envelope,
    );
    assert.deepEqual(await pair.alice.ask(pair.bob.address, { type: 'x' }), { time });
    read();
    await assert.rejects(pair.alice.ask(pair.bob.address, { type: 'x' }), failsWith('unsupported'));
  });

  it('refuses what a stage refuses, and tells its sender', async () => {
    const { peer } = hostWorkshop(pair.bob);
    const allow = pair.bob.incoming.use((envelope) => {
      if (envelope.type === 'execute') throw new FabricError('forbidden', 'Not on Sundays.');
      return envelope;
    });
    const asked = pair.alice.ask(peer, { type: 'work', item: 'a' });
    await assert.rejects(asked, failsWith('forbidden', /Sundays/));
    allow();
    assert.equal((await pair.alice.ask(peer, { type: 'work', item: 'a' })).type, 'done');
  });

  it('hosts one hyperty under several names', async () => {
    hostWorkshop(pair.bob);
    const { peer } = hostWorkshop(pair.bob, { name: 'annexe' });
    assert.equal(peer.address, 'hyperty://partner.example/bob/annexe');
    assert.equal((await pair.alice.ask(peer, { type: 'work', item: 'a' })).type, 'done');
    assert.equal(pair.bob.hosted().length, 2);
  });

  it('moves its links to a protostub that is preferred, and back when it is removed', async () => {
    const clock = createManualClock();
    const hubs = [createMemoryHub({ clock }), createMemoryHub({ clock })] as const;
    const create = (address: typeof aliceAtDesk) =>
      createRuntime({ protostubs: [hubs[0].protostub(address)], clock, logger: silentLogger });
    const [alice, bob] = [create(aliceAtDesk), create(bobAtDesk)];
    await Promise.all([alice.start(), bob.start()]);
    const { peer } = hostWorkshop(bob);
    const work = async () => (await clock.until(alice.ask(peer, { type: 'work', item: 'a' }))).type;
    await work();
    const second = hubs[1].protostub(aliceAtDesk);
    let carried = 0;
    const send = second.send.bind(second);
    second.send = (frame, to) => ((carried += 1), send(frame, to));
    const removeAtBob = await bob.addProtostub(hubs[1].protostub(bobAtDesk), { first: true });
    const remove = await alice.addProtostub(second, { first: true });
    assert.equal(await work(), 'done');
    assert.ok(carried > 0);
    remove();
    removeAtBob();
    carried = 0;
    assert.equal(await work(), 'done');
    assert.equal(carried, 0);
    assert.equal(second.state, 'closed');
    await clock.until(Promise.all([alice.stop(), bob.stop()]));
    assert.equal(clock.pending, 0);
  });

  it('stops a protostub that was added when it stops, and takes none after', async () => {
    const hub = createMemoryHub({ clock: pair.world.clock });
    const added = hub.protostub(pair.alice.address);
    await pair.alice.addProtostub(added);
    assert.equal(added.state, 'live');
    await pair.world.until(pair.alice.stop());
    assert.equal(added.state, 'closed');
    await assert.rejects(pair.alice.addProtostub(added), failsWith('closed'));
  });

  it('lets go of a protostub that cannot start, and goes on without it', async () => {
    const bad = createMemoryHub({ clock: pair.world.clock }).protostub(pair.alice.address);
    bad.start = () => Promise.reject(new Error('no network'));
    await assert.rejects(pair.alice.addProtostub(bad, { first: true }), failsWith('internal', /no network/));
    const asked = pair.alice.ask(hostWorkshop(pair.bob).peer, { type: 'work', item: 'a' });
    assert.equal((await asked).type, 'done');
  });

  it('refuses a protostub of another address while it runs', async () => {
    const odd = createMemoryHub({ clock: pair.world.clock }).protostub(bobAtDesk);
    await assert.rejects(pair.alice.addProtostub(odd), /One runtime, one address/);
  });

  it('greets the peers of an earlier life', async () => {
    const storage = createMemoryStorage();
    const carol = await pair.world.runtime('carol@guest.example', { storage });
    await pair.world.until(carol.ask(hostWorkshop(pair.bob).peer, { type: 'work', item: 'a' }));
    await pair.world.until(carol.stop());
    assert.deepEqual(JSON.parse((await storage.get('known-peers')) ?? ''), [pair.bob.address]);
    const again = await pair.world.runtime('carol@guest.example', { storage });
    await pair.world.settle();
    assert.deepEqual(
      again.inspect().links.map(({ peer }) => peer),
      [pair.bob.address],
    );
  });
});
