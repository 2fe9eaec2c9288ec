/** The bus: to a local endpoint or to the transport; what fails comes back to its sender or becomes a dead letter. */
import assert from 'node:assert/strict';
import { FabricError, type Envelope } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { Bus } from '../../../../runtime/src/bus/bus.ts';
import type { Transport } from '../../../../runtime/src/bus/endpoint.ts';
import { errorBody, valueBody } from '../../../../runtime/src/message/envelope.ts';
import { createIdSource } from '../../../../runtime/src/message/id.ts';
import { alice, bob, carol, envelopeOf } from '../../../support/envelope.ts';

describe('a bus', () => {
  let clock: ManualClock;
  let bus: Bus;
  let sent: Envelope[];
  let reason: FabricError | undefined;

  beforeEach(() => {
    clock = createManualClock();
    const now = (): number => clock.now();
    const ids = createIdSource({ now, random: (bytes) => new Uint8Array(bytes).fill(7) });
    bus = new Bus({ clock, ids, deadLetterCapacity: 10 });
    sent = [];
    reason = undefined;
    const transport: Transport = { send: (envelope) => void sent.push(envelope), withdraw: () => reason };
    bus.connect(transport);
  });
  afterEach(() => {
    bus.stop(new FabricError('closed', 'Stopped.'));
    assert.equal(clock.pending, 0, 'timers are left');
  });

  const codeOf = (code: string) => (error: unknown) => error instanceof FabricError && error.code === code;
  const letters = (): string[] => bus.deadLetters.list().map(({ error }) => error.code);
  const question = { from: alice, to: bob, type: 'execute' };
  const answerTo = (request: Envelope | undefined, body: unknown): Envelope =>
    envelopeOf({ from: bob, to: alice, type: 'response', re: request?.id ?? '', body });

  it('delivers to an endpoint that is bound here, and hands everything else to the transport', () => {
    const received: unknown[] = [];
    bus.bind(bob, { receive: ({ body }) => void received.push(body) });
    void bus.post({ from: alice, to: bob, type: 'event', body: 1 });
    void bus.post({ from: alice, to: carol, type: 'event', body: 2 });
    assert.deepEqual(received, [1]);
    assert.deepEqual(sent.map(({ to }) => to), [carol]); // prettier-ignore
    assert.match(sent[0]?.trace ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('refuses a second endpoint at an address, and takes one once the first is gone', () => {
    const remove = bus.bind(bob, { receive: () => undefined });
    assert.throws(() => bus.bind(bob, { receive: () => undefined }), codeOf('conflict'));
    remove();
    bus.bind(bob, { receive: () => undefined });
    remove();
    assert.equal(bus.isLocal(bob), true);
  });

  it('gives a request the value or the failure of its answer', async () => {
    const good = bus.request(question);
    void bus.accept(answerTo(sent[0], valueBody(3)));
    assert.equal(await good, 3);
    const bad = bus.request(question);
    void bus.accept(answerTo(sent[1], errorBody(new FabricError('conflict', 'Taken.'))));
    await assert.rejects(bad, codeOf('conflict'));
  });

  it('says timeout when the peer took the request, and the reason of the transport when it did not', async () => {
    const taken = bus.request(question, { timeoutMs: 1000 });
    await assert.rejects(clock.until(taken), codeOf('timeout'));
    reason = new FabricError('offline', 'Bob is off.');
    await assert.rejects(clock.until(bus.request(question)), codeOf('offline'));
  });

  it('makes a late answer a dead letter', async () => {
    const outcome = bus.request(question, { timeoutMs: 1000 });
    await assert.rejects(clock.until(outcome), codeOf('timeout'));
    void bus.accept(answerTo(sent[0], valueBody(3)));
    assert.deepEqual(letters(), ['timeout']);
  });

  it('answers not-found for an address that is not bound, and timeout for what comes after its deadline', () => {
    bus.bind(bob, { receive: () => assert.fail('it was too late') });
    void bus.accept(envelopeOf({ id: 'lost', to: carol }));
    void bus.accept(envelopeOf({ id: 'late', to: bob, deadline: clock.now() }));
    assert.deepEqual(sent.map(({ to, re }) => [to, re]), [[alice, 'lost'], [alice, 'late']]); // prettier-ignore
    assert.deepEqual(sent.map(({ body }) => (body as { code: number }).code), [404, 504]); // prettier-ignore
  });

  it('never answers an answer that cannot be delivered', () => {
    void bus.accept(envelopeOf({ type: 'response', re: 'unknown', body: valueBody(1) }));
    assert.deepEqual(sent, []);
    assert.deepEqual(letters(), ['timeout']);
  });

  it('ends a request that a stage refuses, or that no transport takes, with that error', async () => {
    const remove = bus.outgoing.use(() => {
      throw new FabricError('forbidden', 'Policy says no.');
    });
    await assert.rejects(bus.request(question), codeOf('forbidden'));
    remove();
    const full = new FabricError('mailbox-full', 'Too much.');
    const send = (): never => {
      throw full;
    };
    bus.connect({ send, withdraw: () => undefined });
    await assert.rejects(bus.request(question), (error) => error === full);
    assert.equal(bus.pendingRequests, 0);
  });

  it('answers with the refusal of an incoming stage, or of an endpoint', async () => {
    const refuse = (): never => {
      throw new FabricError('forbidden', 'Policy says no.');
    };
    bus.bind(bob, { receive: () => Promise.reject(new FabricError('crashed', 'It fell over.')) });
    await bus.accept(envelopeOf({ id: 'one' }))?.handled;
    bus.incoming.use(refuse);
    await bus.accept(envelopeOf({ id: 'two' }))?.handled;
    assert.deepEqual(sent.map(({ re, body }) => [re, (body as { code: number }).code]), [['one', 500], ['two', 403]]); // prettier-ignore
  });

  it('tells the sender here, and the dead letters, of what turns out undeliverable', () => {
    const told: string[] = [];
    bus.bind(alice, {
      receive: () => undefined,
      undeliverable: ({ id }, { code }) => told.push(`${id} ${code}`),
    });
    bus.undeliverable(envelopeOf({ id: 'a' }), new FabricError('offline', 'Bob is off.'));
    assert.deepEqual(told, ['a offline']);
    assert.deepEqual(letters(), ['offline']);
  });

  it('ends a subscription at its sender when nobody here follows it any more', () => {
    void bus.accept(envelopeOf({ from: bob, to: alice, type: 'update', re: 'forgotten', body: 1 }));
    assert.deepEqual(sent.map(({ to, type, body }) => ({ to, type, body })), [{ to: bob, type: 'unsubscribe', body: { subscription: 'forgotten' } }]); // prettier-ignore
  });

  it('ends every request when it stops', async () => {
    const outcome = bus.request(question);
    bus.stop(new FabricError('closed', 'Stopped.'));
    await assert.rejects(outcome, codeOf('closed'));
  });
});
