import assert from 'node:assert/strict';
import { defineHyperty, type Envelope } from '@hyperty/runtime';
import { createMachine, fromPromise } from 'xstate';
import { failsWith, hostWorkshop, startPair, type Pair } from '../../../support/hosting.ts';

describe('hosted hyperty', () => {
  let pair: Pair;

  beforeEach(async () => (pair = await startPair()));
  afterEach(() => pair.world.stop());

  it('is refused when its name is taken, and free again when it has stopped', () => {
    const hosted = hostWorkshop(pair.bob);
    assert.equal(hosted.address, 'hyperty://partner.example/bob/workshop');
    assert.throws(() => hostWorkshop(pair.bob), failsWith('conflict'));
    hosted.stop();
    hosted.stop();
    assert.equal(hostWorkshop(pair.bob).status, 'running');
  });

  it('answers what it is asked, once', async () => {
    const { peer } = hostWorkshop(pair.bob);
    const answer = await pair.alice.ask(peer, { type: 'work', item: 'chair' });
    assert.deepEqual(answer, { type: 'done', item: 'chair', count: 1 });
    await pair.world.advance(1000);
    assert.equal(pair.alice.deadLetters.total, 0);
  });

  it('refuses an event that breaks its schema, naming the field, and does not hand it to the machine', async () => {
    const { address, actor } = hostWorkshop(pair.bob);
    const count = () => (actor.getSnapshot() as { context: { count: number } }).context.count;
    await assert.rejects(pair.alice.ask(address, { type: 'work', item: 5 }), failsWith('schema', /item/));
    await assert.rejects(pair.alice.ask(address, { type: 'nonsense' }), failsWith('schema', /among: work/));
    await assert.rejects(pair.alice.ask(address, { type: '__proto__' }), failsWith('schema'));
    assert.equal(count(), 0);
  });

  it('does not let an answer out that breaks its schema', async () => {
    const { peer } = hostWorkshop(pair.bob);
    await assert.rejects(pair.alice.ask(peer, { type: 'blunder' }), failsWith('schema', /Answer of .*item/));
  });

  it('answers later, when the work that it invoked has ended', async () => {
    const oven = Promise.withResolvers<string>();
    const { peer } = hostWorkshop(pair.bob, { input: { oven: () => oven.promise } });
    const asked = pair.alice.ask(peer, { type: 'bake', item: 'bread' });
    await pair.world.advance(20_000);
    oven.resolve('warm bread');
    assert.deepEqual(await asked, { type: 'done', item: 'warm bread', count: 1 });
  });

  it('reports progress before it answers', async () => {
    const { peer } = hostWorkshop(pair.bob);
    const steps: unknown[] = [];
    const onProvisional = (value: unknown): void => void steps.push(value);
    const answer = await pair.alice.ask(peer, { type: 'build', item: 'boat' }, { onProvisional });
    assert.deepEqual(steps, [
      { type: 'step', item: 'half a boat' },
      { type: 'step', item: 'nearly a boat' },
    ]);
    assert.equal(answer.type, 'done');
  });

  it('answers a question that its state does not allow with conflict', async () => {
    const hosted = hostWorkshop(pair.bob);
    pair.alice.remote(hosted.peer).send({ type: 'close' });
    await pair.world.settle();
    const asked = pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' });
    await assert.rejects(asked, failsWith('conflict', /"work" in its state "closed"/));
  });

  it('answers message types that it does not know with unsupported', async () => {
    const { address } = hostWorkshop(pair.bob);
    const sent: Envelope[] = [];
    pair.bob.outgoing.use((envelope) => (sent.push(envelope), envelope));
    pair.bob.incoming.use((envelope) =>
      envelope.type === 'execute' ? { ...envelope, type: 'delete' } : envelope,
    );
    await assert.rejects(
      pair.alice.ask(address, { type: 'work', item: 'chair' }),
      failsWith('unsupported', /"delete"/),
    );
    assert.equal(sent.length, 1);
  });

  it('tells whoever waits that it is closed when it stops', async () => {
    const hosted = hostWorkshop(pair.bob);
    const asked = pair.alice.ask(hosted.peer, { type: 'ponder' });
    await pair.world.settle();
    hosted.stop();
    await assert.rejects(asked, failsWith('closed', /has been stopped/));
    assert.equal(hosted.status, 'stopped');
    await assert.rejects(
      pair.world.until(pair.alice.ask(hosted.peer, { type: 'ponder' })),
      failsWith('not-found'),
    );
  });

  it('tells whoever waits when it has finished, and frees its name', async () => {
    const hosted = hostWorkshop(pair.bob);
    const asked = pair.alice.ask(hosted.peer, { type: 'ponder' });
    await pair.world.settle();
    pair.alice.remote(hosted.peer).send({ type: 'finish' });
    await assert.rejects(asked, failsWith('closed', /has finished/));
    assert.equal(hosted.status, 'done');
    assert.deepEqual(pair.bob.hosted(), []);
  });

  it('is done at once when its machine has nothing to do', () => {
    const machine = createMachine({ initial: 'end', states: { end: { type: 'final' } } });
    const descriptor = { name: 'moment', version: '1.0.0' };
    const hosted = pair.bob.host(defineHyperty({ descriptor, accepts: {}, emits: {}, machine }));
    assert.equal(hosted.status, 'done');
    assert.deepEqual(pair.bob.hosted(), []);
  });

  it('hosts other actor logic than machines', async () => {
    const work = Promise.withResolvers<number>();
    const machine = fromPromise(() => work.promise);
    const descriptor = { name: 'promise', version: '1.0.0' };
    const hosted = pair.bob.host(defineHyperty({ descriptor, accepts: {}, emits: {}, machine }));
    assert.equal(hosted.status, 'running');
    work.resolve(7);
    await pair.world.settle();
    assert.equal(hosted.status, 'done');
  });

  it('shows what expose gives, and nothing else', async () => {
    const { peer } = hostWorkshop(pair.bob);
    const shown: unknown[] = [];
    pair.alice.incoming.use((envelope) => (shown.push(envelope.body), envelope));
    pair.alice.remote(peer).subscribe(() => undefined);
    await pair.alice.ask(peer, { type: 'work', item: 'chair' });
    await pair.world.settle();
    const text = JSON.stringify(shown);
    assert.match(text, /"context":\{"count":1\}/);
    assert.doesNotMatch(text, /recipe|secret|oven/);
  });
});
