import assert from 'node:assert/strict';
import { remote, type FabricError, type Runtime } from '@hyperty/runtime';
import { assign, createActor, sendTo, setup, waitFor } from 'xstate';
import {
  failsWith,
  hostWorkshop,
  startPair,
  type HostedWorkshop,
  type Pair,
} from '../../../support/hosting.ts';
import { workshop } from '../../../support/workshop.ts';
import { hostMachine } from '../../../support/host-machine.ts';

const LEASE_MS = 600_000;

describe('remote reference', () => {
  let pair: Pair;
  let hosted: HostedWorkshop;

  beforeEach(async () => {
    pair = await startPair();
    hosted = hostWorkshop(pair.bob);
  });
  afterEach(() => pair.world.stop());

  const countOf = ({ actor }: HostedWorkshop): number =>
    (actor.getSnapshot() as { context: { count: number } }).context.count;
  const watch = (runtime: Runtime = pair.alice) => {
    const reference = runtime.remote(hosted.peer);
    reference.subscribe(() => undefined);
    return reference;
  };

  it('takes events in order, and watches nothing unless it is observed', async () => {
    const types: string[] = [];
    pair.bob.incoming.use((envelope) => (types.push(envelope.type), envelope));
    const reference = pair.alice.remote(hosted.peer);
    for (const item of ['a', 'b', 'c']) reference.send({ type: 'work', item });
    await pair.world.settle();
    assert.equal(countOf(hosted), 3);
    assert.deepEqual(types, ['event', 'event', 'event']);
    assert.equal(reference.getSnapshot().connection, 'idle');
  });

  it('makes an event that the hyperty would not take a dead letter, without sending it', async () => {
    pair.alice.remote(hosted.peer).send({ type: 'work', item: 5 } as never);
    await pair.world.settle();
    const [letter] = pair.alice.deadLetters.list();
    assert.equal(letter?.error.code, 'schema');
    assert.match(letter.error.message, /item/);
    assert.equal(pair.bob.inspect().links.length, 0);
  });

  it('follows the snapshot from the first observer on', async () => {
    const reference = watch();
    await pair.world.settle();
    assert.deepEqual(reference.getSnapshot().context, { count: 0 });
    assert.equal(reference.getSnapshot().value, 'open');
    assert.equal(reference.getSnapshot().connection, 'live');
    reference.send({ type: 'work', item: 'chair' });
    reference.send({ type: 'close' });
    await pair.world.settle();
    assert.deepEqual(reference.getSnapshot().context, { count: 1 });
    assert.equal(reference.getSnapshot().value, 'closed');
  });

  it('can be waited for as any actor', async () => {
    const reference = pair.alice.remote(hosted.peer);
    const closed = waitFor(reference, ({ value }) => value === 'closed');
    reference.send({ type: 'close' });
    assert.equal((await closed).connection, 'live');
  });

  it('emits what the hyperty emits, except what breaks its schema', async () => {
    const reference = pair.alice.remote(hosted.peer);
    const texts: string[] = [];
    reference.on('rang', ({ text }) => texts.push(text));
    await pair.world.settle();
    reference.send({ type: 'clang' });
    reference.send({ type: 'ring', text: 'dinner' });
    await pair.world.settle();
    assert.deepEqual(texts, ['dinner']);
  });

  it('makes an event from outside that breaks its schema a dead letter, and goes on', async () => {
    const reference = pair.alice.remote(hosted.peer);
    const texts: string[] = [];
    reference.on('rang', ({ text }) => texts.push(text));
    await pair.world.settle();
    const forge = pair.alice.incoming.use((envelope) =>
      envelope.type === 'event' ? { ...envelope, body: { type: 'rang', text: 7 } } : envelope,
    );
    reference.send({ type: 'ring', text: 'forged' });
    await pair.world.settle();
    forge();
    reference.send({ type: 'ring', text: 'dinner' });
    await pair.world.settle();
    assert.deepEqual(texts, ['dinner']);
    assert.deepEqual(
      pair.alice.deadLetters.list().map(({ error }) => error.code),
      ['schema'],
    );
  });

  it('is done with the hyperty, and tells its output', async () => {
    const reference = pair.alice.remote(hosted.peer);
    let completed = 0;
    reference.subscribe({ complete: () => (completed += 1) });
    await pair.world.settle();
    reference.send({ type: 'work', item: 'chair' });
    reference.send({ type: 'finish' });
    await pair.world.settle();
    assert.equal(completed, 1);
    assert.equal(reference.getSnapshot().status, 'done');
    assert.deepEqual(reference.getSnapshot().output, { count: 1 });
  });

  it('fails with closed when the hyperty is stopped', async () => {
    const reference = pair.alice.remote(hosted.peer);
    const errors: unknown[] = [];
    reference.subscribe({ error: (error) => errors.push(error) });
    await pair.world.settle();
    hosted.stop();
    await pair.world.settle();
    assert.equal((errors[0] as FabricError).code, 'closed');
  });

  it('fails when nothing lives at its address, and an observer without handler does no harm', async () => {
    hosted.stop();
    const reference = watch();
    await pair.world.advance(60_000);
    const { status, error } = reference.getSnapshot();
    assert.equal(status, 'error');
    assert.equal((error as FabricError).code, 'not-found');
  });

  it('is lost while the peer does not answer, and live again after', async () => {
    const reference = watch();
    const connections: string[] = [];
    reference.subscribe(({ connection }) => {
      if (connection !== connections.at(-1)) connections.push(connection);
    });
    await pair.world.settle();
    pair.world.faults.partition('acme.example', 'partner.example');
    await pair.world.advance(LEASE_MS);
    assert.equal(reference.getSnapshot().connection, 'lost');
    pair.world.faults.heal();
    await pair.world.advance(120_000);
    assert.deepEqual(connections, ['live', 'lost', 'live']);
    reference.send({ type: 'work', item: 'chair' });
    await pair.world.settle();
    assert.deepEqual(reference.getSnapshot().context, { count: 1 });
  });

  it('follows a hyperty that came back in a new life of its runtime', async () => {
    const reference = watch();
    reference.send({ type: 'work', item: 'chair' });
    await pair.world.settle();
    pair.world.faults.disconnect(pair.bob);
    await pair.world.until(pair.bob.stop());
    const again = await pair.world.runtime('bob@partner.example');
    hosted = hostWorkshop(again);
    reference.send({ type: 'work', item: 'table' });
    await pair.world.advance(LEASE_MS);
    assert.equal(reference.getSnapshot().connection, 'live');
    await pair.alice.ask(hosted.peer, { type: 'work', item: 'lamp' });
    await pair.world.settle();
    assert.deepEqual(reference.getSnapshot().context, { count: countOf(hosted) });
  });

  it('renews its subscription, so that it outlives the lease', async () => {
    const reference = watch();
    await pair.world.advance(3 * LEASE_MS);
    reference.send({ type: 'work', item: 'chair' });
    await pair.world.settle();
    assert.deepEqual(reference.getSnapshot().context, { count: 1 });
  });

  it('tells the hyperty when it is stopped, which sends it nothing any more', async () => {
    const reference = watch();
    await pair.world.settle();
    reference.stop();
    await pair.world.settle();
    const sent: string[] = [];
    pair.bob.outgoing.use((envelope) => (sent.push(envelope.type), envelope));
    pair.alice.remote(hosted.peer).send({ type: 'work', item: 'chair' });
    await pair.world.settle();
    assert.deepEqual(sent, []);
  });

  it('works for a hyperty of the same runtime', async () => {
    const reference = watch(pair.bob);
    reference.send({ type: 'work', item: 'chair' });
    await pair.world.settle();
    assert.deepEqual(reference.getSnapshot().context, { count: 1 });
  });

  it('is refused without a runtime around it', () => {
    const machine = setup({ actors: { shop: remote(workshop) } }).createMachine({
      invoke: { src: 'shop', input: { address: 'hyperty://partner.example/bob/workshop' } },
    });
    const actor = createActor(machine);
    const errors: unknown[] = [];
    actor.subscribe({ error: (error) => errors.push(error) });
    actor.start();
    assert.match(String(errors[0]), /TypeError.*needs a runtime/);
  });
});

describe('remote reference in a machine', () => {
  let pair: Pair;

  beforeEach(async () => (pair = await startPair()));
  afterEach(() => pair.world.stop());

  const customer = setup({
    types: { context: {} as { readonly count: number | undefined; readonly end: unknown } },
    actors: { shop: remote(workshop) },
  }).createMachine({
    context: { count: undefined, end: undefined },
    initial: 'shopping',
    invoke: {
      id: 'shop',
      src: 'shop',
      input: { address: 'hyperty://partner.example/bob/workshop' },
      onSnapshot: { actions: assign({ count: ({ event }) => event.snapshot.context?.count }) },
      onDone: { target: '.served', actions: assign({ end: ({ event }) => event.output }) },
      onError: { target: '.turnedAway', actions: assign({ end: ({ event }) => event.error }) },
    },
    on: {
      order: { actions: sendTo('shop', { type: 'work', item: 'chair' }) },
      leave: { actions: sendTo('shop', { type: 'finish' }) },
    },
    states: { shopping: {}, served: {}, turnedAway: {} },
  });

  it('takes sendTo, and brings snapshots and the end as a local child does', async () => {
    hostWorkshop(pair.bob);
    const { actor } = hostMachine(pair.alice, customer);
    await pair.world.settle();
    actor.send({ type: 'order' });
    await pair.world.settle();
    assert.equal(actor.getSnapshot().context.count, 1);
    actor.send({ type: 'leave' });
    await pair.world.settle();
    assert.equal(actor.getSnapshot().value, 'served');
    assert.deepEqual(actor.getSnapshot().context.end, { count: 1 });
  });

  it('brings the failure of the hyperty to onError', async () => {
    const shop = hostWorkshop(pair.bob);
    const { actor } = hostMachine(pair.alice, customer);
    await pair.world.settle();
    shop.stop();
    await pair.world.settle();
    assert.equal(actor.getSnapshot().value, 'turnedAway');
    const { end } = actor.getSnapshot().context;
    assert.throws(() => {
      throw end;
    }, failsWith('closed'));
  });

  it('gives its subscription up when its parent stops', async () => {
    const shop = hostWorkshop(pair.bob);
    const host = hostMachine(pair.alice, customer);
    await pair.world.settle();
    host.stop();
    await pair.world.settle();
    const sent: string[] = [];
    pair.bob.outgoing.use((envelope) => (sent.push(envelope.type), envelope));
    pair.bob.remote(shop.peer).send({ type: 'work', item: 'chair' });
    await pair.world.settle();
    assert.deepEqual(sent, ['event']);
  });
});
