import assert from 'node:assert/strict';
import type { FabricError, HypertyAddress } from '@hyperty/runtime';
import { recordingLogger, type LogLine } from '../../../support/matrix-people.ts';
import {
  failsWith,
  hostWorkshop,
  startPair,
  type HostedWorkshop,
  type Pair,
} from '../../../support/hosting.ts';

describe('a hyperty that crashes', () => {
  let pair: Pair;
  const log: LogLine[] = [];
  const escalated: { address: HypertyAddress; error: FabricError }[] = [];

  beforeEach(async () => {
    log.length = 0;
    escalated.length = 0;
    const onEscalation = (address: HypertyAddress, error: FabricError): void =>
      void escalated.push({ address, error });
    pair = await startPair({ runtime: { logger: recordingLogger(log), onEscalation } });
  });
  afterEach(() => pair.world.stop());

  const crash = async ({ peer }: HostedWorkshop): Promise<void> => {
    await assert.rejects(pair.alice.ask(peer, { type: 'crash' }), failsWith('crashed'));
  };

  it('tells whoever asked, without the text that it threw', async () => {
    const { peer } = hostWorkshop(pair.bob);
    const pondering = pair.alice.ask(peer, { type: 'ponder' });
    await pair.world.settle();
    await Promise.all([
      assert.rejects(pondering, failsWith('crashed')),
      assert.rejects(
        pair.alice.ask(peer, { type: 'crash' }),
        (error: FabricError) => error.code === 'crashed' && !JSON.stringify(error).includes('roof'),
      ),
    ]);
    const [line] = log.filter(({ level }) => level === 'error');
    assert.match(String(line?.fields['error']), /the roof fell in/);
  });

  it('starts afresh after a wait that doubles', async () => {
    const hosted = hostWorkshop(pair.bob);
    await pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' });
    for (const waitMs of [100, 200, 400]) {
      await crash(hosted);
      assert.equal(hosted.status, 'restarting');
      await pair.world.advance(waitMs - 1);
      assert.equal(hosted.status, 'restarting');
      await pair.world.advance(1);
      assert.equal(hosted.status, 'running');
    }
    const answer = await pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' });
    assert.deepEqual(answer, { type: 'done', item: 'chair', count: 1 });
  });

  it('keeps messages that come while it waits for its restart', async () => {
    const hosted = hostWorkshop(pair.bob);
    await crash(hosted);
    const asked = pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' });
    await pair.world.settle();
    assert.equal(hosted.mailboxDepth, 1);
    assert.equal(pair.bob.inspect().hyperties[0]?.status, 'restarting');
    await pair.world.advance(100);
    assert.equal((await asked).type, 'done');
  });

  it('refuses more than its mailbox holds', async () => {
    const hosted = hostWorkshop(pair.bob, { mailboxCapacity: 2 });
    await crash(hosted);
    const [first, second, third] = ['a', 'b', 'c'].map((item) =>
      pair.alice.ask(hosted.peer, { type: 'work', item }),
    );
    await assert.rejects(third ?? Promise.resolve(), failsWith('mailbox-full', /2 messages/));
    await pair.world.advance(100);
    assert.equal((await first)?.type, 'done');
    assert.equal((await second)?.type, 'done');
  });

  it('is stopped and escalated when its restarts are used up', async () => {
    const hosted = hostWorkshop(pair.bob, { supervision: { maxRestarts: 1 } });
    await crash(hosted);
    await pair.world.advance(100);
    await crash(hosted);
    assert.equal(hosted.status, 'stopped');
    assert.deepEqual(
      escalated.map(({ address, error }) => [address, error.code]),
      [[hosted.address, 'crashed']],
    );
    assert.equal(hostWorkshop(pair.bob).status, 'running', 'its name is free');
  });

  it('is stopped quietly when its supervision says so', async () => {
    const hosted = hostWorkshop(pair.bob, { supervision: { maxRestarts: 0, thenDo: 'stop' } });
    await crash(hosted);
    assert.equal(hosted.status, 'stopped');
    assert.deepEqual(escalated, []);
  });

  it('is logged as stopped when nobody listens for escalations', async () => {
    const carol = await pair.world.runtime('carol@guest.example', {
      logger: recordingLogger(log),
      onEscalation: undefined as never,
    });
    const hosted = hostWorkshop(carol, { supervision: { maxRestarts: 0 } });
    await crash(hosted);
    assert.ok(log.some(({ message }) => message.includes('crashed too often')));
  });

  it('answers those in its mailbox when it is stopped before its restart', async () => {
    const hosted = hostWorkshop(pair.bob);
    await crash(hosted);
    const asked = pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' });
    await pair.world.settle();
    hosted.stop();
    await assert.rejects(asked, failsWith('closed'));
    await pair.world.advance(1000);
    assert.equal(hosted.status, 'stopped');
  });

  it('follows on: who watches sees the fresh snapshot after a restart', async () => {
    const hosted = hostWorkshop(pair.bob);
    const seen: unknown[] = [];
    const remote = pair.alice.remote(hosted.peer);
    remote.subscribe(({ context }) => seen.push(context?.count));
    await pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' });
    await crash(hosted);
    await pair.world.advance(100);
    assert.equal(seen.at(-1), 0);
    assert.ok(seen.includes(1));
    await pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' });
    await pair.world.settle();
    assert.equal(seen.at(-1), 1);
  });

  it('tells who watches when it is stopped for good', async () => {
    const hosted = hostWorkshop(pair.bob, { supervision: { maxRestarts: 0 } });
    const remote = pair.alice.remote(hosted.peer);
    const errors: unknown[] = [];
    remote.subscribe({ error: (error) => errors.push(error) });
    await pair.world.settle();
    await crash(hosted);
    assert.equal((errors[0] as FabricError).code, 'crashed');
    assert.equal(remote.getSnapshot().status, 'error');
  });
});
