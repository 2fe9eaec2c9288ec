import assert from 'node:assert/strict';
import { ask, type FabricError } from '@hyperty/runtime';
import { assign, setup } from 'xstate';
import {
  failsWith,
  hostWorkshop,
  startPair,
  type HostedWorkshop,
  type Pair,
} from '../../../support/hosting.ts';
import { hostMachine } from '../../../support/host-machine.ts';
import { workshop } from '../../../support/workshop.ts';

const ADDRESS = 'hyperty://partner.example/bob/workshop';

describe('ask', () => {
  let pair: Pair;
  let hosted: HostedWorkshop;

  beforeEach(async () => {
    pair = await startPair();
    hosted = hostWorkshop(pair.bob);
  });
  afterEach(() => pair.world.stop());

  it('answers a bare address untyped, and a peer checked', async () => {
    const untyped = await pair.alice.ask(ADDRESS, { type: 'work', item: 'chair' });
    assert.deepEqual(untyped, { type: 'done', item: 'chair', count: 1 });
    assert.equal((await pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' })).type, 'done');
  });

  it('refuses a wrong question to a peer without sending it', async () => {
    const asked = pair.alice.ask(hosted.peer, { type: 'work' } as never);
    await assert.rejects(asked, failsWith('schema', /Question to .*item/));
    assert.equal(pair.bob.inspect().links.length, 0);
  });

  it('refuses an answer that the peer should not give', async () => {
    pair.alice.incoming.use((envelope) =>
      envelope.type === 'response' ? { ...envelope, body: { code: 200, value: { type: 'no' } } } : envelope,
    );
    const asked = pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' });
    await assert.rejects(asked, failsWith('schema', /Answer of/));
  });

  it('refuses what is no address', async () => {
    await assert.rejects(pair.alice.ask('bob', { type: 'work' }), failsWith('invalid'));
  });

  it('ends with timeout at its deadline when the peer took it, by default after 30 s', async () => {
    const asked = pair.alice.ask(hosted.peer, { type: 'ponder' }, { timeoutMs: 5000 });
    const patient = pair.alice.ask(hosted.peer, { type: 'ponder' });
    const outcomes: string[] = [];
    asked.catch((error: unknown) => outcomes.push(`asked: ${(error as FabricError).code}`));
    patient.catch((error: unknown) => outcomes.push(`patient: ${(error as FabricError).code}`));
    await pair.world.advance(4999);
    assert.deepEqual(outcomes, []);
    await pair.world.advance(1);
    assert.deepEqual(outcomes, ['asked: timeout']);
    await pair.world.advance(25_000);
    assert.deepEqual(outcomes, ['asked: timeout', 'patient: timeout']);
    assert.equal(pair.alice.inspect().pendingRequests, 0);
  });

  it('ends with offline at its deadline when the peer took nothing', async () => {
    pair.world.faults.partition('acme.example', 'partner.example');
    const asked = pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' }, { timeoutMs: 5000 });
    await assert.rejects(pair.world.until(asked), failsWith('offline'));
  });

  it('ends with cancelled when its caller withdraws, and drops the late answer', async () => {
    const oven = Promise.withResolvers<string>();
    hosted.stop();
    hosted = hostWorkshop(pair.bob, { input: { oven: () => oven.promise } });
    const controller = new AbortController();
    const asked = pair.alice.ask(hosted.peer, { type: 'bake', item: 'bread' }, { signal: controller.signal });
    await pair.world.settle();
    controller.abort();
    await assert.rejects(asked, failsWith('cancelled'));
    oven.resolve('bread');
    await pair.world.settle();
    assert.equal(pair.alice.inspect().pendingRequests, 0);
  });

  it('sends nothing when it was withdrawn before', async () => {
    const signal = AbortSignal.abort();
    const asked = pair.alice.ask(hosted.peer, { type: 'work', item: 'chair' }, { signal });
    await assert.rejects(asked, failsWith('cancelled'));
    assert.equal(pair.bob.inspect().links.length, 0);
  });

  it('ends with not-found when nothing of that name lives there', async () => {
    const nobody = pair.alice.ask('hyperty://partner.example/bob/nobody', { type: 'work' });
    await assert.rejects(pair.world.until(nobody), failsWith('not-found'));
  });
});

describe('ask in a machine', () => {
  let pair: Pair;

  beforeEach(async () => (pair = await startPair()));
  afterEach(() => pair.world.stop());

  const visitor = (event: { type: 'work'; item: string } | { type: 'ponder' }, timeoutMs?: number) =>
    setup({
      types: { context: {} as { readonly outcome: unknown } },
      actors: { ask: ask(workshop) },
    }).createMachine({
      context: { outcome: undefined },
      initial: 'asking',
      states: {
        asking: {
          invoke: {
            src: 'ask',
            input: { address: ADDRESS, event, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
            onDone: { target: 'answered', actions: assign({ outcome: ({ event: { output } }) => output }) },
            onError: { target: 'failed', actions: assign({ outcome: ({ event: { error } }) => error }) },
          },
          on: { leave: 'left' },
        },
        answered: {},
        failed: {},
        left: {},
      },
    });

  it('is done with the answer', async () => {
    hostWorkshop(pair.bob);
    const { actor } = hostMachine(pair.alice, visitor({ type: 'work', item: 'chair' }));
    await pair.world.settle();
    assert.equal(actor.getSnapshot().value, 'answered');
    assert.deepEqual(actor.getSnapshot().context.outcome, { type: 'done', item: 'chair', count: 1 });
  });

  it('fails with the error of the peer, or at its deadline', async () => {
    hostWorkshop(pair.bob);
    const { actor } = hostMachine(pair.alice, visitor({ type: 'ponder' }, 2000));
    await pair.world.advance(1999);
    assert.equal(actor.getSnapshot().value, 'asking');
    await pair.world.advance(1);
    assert.equal(actor.getSnapshot().value, 'failed');
    assert.equal((actor.getSnapshot().context.outcome as FabricError).code, 'timeout');
  });

  it('withdraws its question when its state is left', async () => {
    hostWorkshop(pair.bob);
    const { actor } = hostMachine(pair.alice, visitor({ type: 'ponder' }));
    await pair.world.settle();
    assert.equal(pair.alice.inspect().pendingRequests, 1);
    actor.send({ type: 'leave' });
    await pair.world.settle();
    assert.equal(pair.alice.inspect().pendingRequests, 0);
    assert.equal(actor.getSnapshot().value, 'left');
  });
});
