import assert from 'node:assert/strict';
import { createMemoryMedium, createMemoryStore, type Runtime } from '@hyperty/runtime';
import { createTracing } from '@hyperty/runtime/opentelemetry';
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { AlwaysOffSampler, BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan, type Sampler } from '@opentelemetry/sdk-trace-base'; // prettier-ignore
import { greeter } from '../../../examples/hello/greeter.ts';
import { visitor } from '../../../examples/hello/visitor.ts';
import { buyer, counter, hold } from '../../support/durable-party.ts';
import { failsWith } from '../../support/hosting.ts';
import { workshop } from '../../support/workshop.ts';

const GREETER = 'hyperty://partner.example/bob/greeter';

describe('a trace', () => {
  const exporter = new InMemorySpanExporter();
  let world: TestWorld;

  const record = (sampler?: Sampler): void => {
    trace.disable();
    const spanProcessors = [new SimpleSpanProcessor(exporter)];
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors, ...(sampler ? { sampler } : {}) }),
    );
  };
  beforeEach(() => {
    record();
    exporter.reset();
    world = createTestWorld();
  });
  afterEach(async () => {
    await world.stop();
    trace.disable();
  });

  const start = (account: string, options: { durable?: true } = {}): Promise<Runtime> => {
    const { clock } = world;
    const store = options.durable
      ? { store: createMemoryStore({ medium: createMemoryMedium(), clock }) }
      : {};
    return world.runtime(account, { tracing: createTracing(), ...store });
  };
  /** `work type to`, each below the span that it belongs to. */
  const tree = (parent?: string): readonly unknown[] =>
    exporter
      .getFinishedSpans()
      .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
      .map((span) => [`${span.name} ${lastPart(span)}`, ...tree(span.spanContext().spanId)]);
  const lastPart = ({ attributes }: ReadableSpan): string =>
    String(attributes['messaging.destination.name']).split('/').at(-1) ?? '';
  const failures = (): readonly string[] =>
    exporter
      .getFinishedSpans()
      .filter(({ status }) => status.code === SpanStatusCode.ERROR)
      .map((span) => `${span.name} ${lastPart(span)}: ${String(span.attributes['error.type'])}`);

  it('covers a question, the question that it leads to in another company, and both answers', async () => {
    const [alice, bob] = [await start('alice@acme.example'), await start('bob@partner.example')];
    bob.host(greeter);
    const { peer } = alice.host(visitor);
    await world.until(alice.ask(peer, { type: 'visit', greeter: GREETER, name: 'Zoe' }));
    await world.settle();
    assert.deepEqual(tree(), [
      [
        'send execute visitor',
        [
          'process execute visitor',
          ['send execute greeter', ['process execute greeter', ['send response visitor']]],
          ['send response pc'],
        ],
      ],
    ]);
    assert.equal(new Set(exporter.getFinishedSpans().map((span) => span.spanContext().traceId)).size, 1);
    assert.deepEqual(failures(), []);
  });

  it('covers durable hyperties of two companies, and goes on with the answer', async () => {
    hold.until = undefined;
    const alice = await start('alice@acme.example', { durable: true });
    const bob = await start('bob@partner.example', { durable: true });
    const [shop, bought] = [bob.host(counter), alice.host(buyer)];
    await world.until(Promise.all([shop.ready, bought.ready]));
    alice.remote(bought.peer).send({ type: 'buy', shop: shop.address });
    await world.advance(5000);
    assert.deepEqual(tree(), [
      [
        'send event buyer',
        [
          'process event buyer',
          [
            'send execute counter',
            ['process execute counter', ['send response buyer', ['process response buyer']]],
          ],
        ],
      ],
    ]);
  });

  it('shows which question failed, and why', async () => {
    const alice = await start('alice@acme.example');
    await start('bob@partner.example');
    const { peer } = alice.host(visitor);
    const asked = alice.ask(peer, { type: 'visit', greeter: GREETER, name: 'Zoe' });
    const { type } = await world.until(asked);
    assert.equal(type, 'failed');
    assert.deepEqual(failures(), ['send execute greeter: not-found']);
    const event = exporter.getFinishedSpans().find(({ status }) => status.code === SpanStatusCode.ERROR);
    assert.match(event?.status.message ?? '', /runs no hyperty of that name/);
  });

  it('shows a crash where it happened, and who waited for an answer', async () => {
    const [alice, bob] = [await start('alice@acme.example'), await start('bob@partner.example')];
    const { peer } = bob.host(workshop, { input: { oven: undefined } });
    await assert.rejects(world.until(alice.ask(peer, { type: 'crash' })), failsWith('crashed'));
    assert.deepEqual(failures(), ['process execute workshop: crashed', 'send execute workshop: crashed']);
  });

  it('shows a refusal by the state of a machine at both ends', async () => {
    const [alice, bob] = [await start('alice@acme.example'), await start('bob@partner.example')];
    const { peer } = bob.host(workshop, { input: { oven: undefined } });
    alice.remote(peer).send({ type: 'close' });
    await assert.rejects(world.until(alice.ask(peer, { type: 'work', item: 'a' })), failsWith('conflict'));
    assert.deepEqual(failures(), ['process execute workshop: conflict', 'send execute workshop: conflict']);
  });

  it('goes through a runtime that records nothing', async () => {
    const alice = await start('alice@acme.example');
    const silent = await world.runtime('bob@partner.example');
    const carol = await start('carol@guest.example');
    const { address } = carol.host(greeter);
    const { peer } = silent.host(visitor);
    await world.until(alice.ask(peer, { type: 'visit', greeter: address, name: 'Zoe' }));
    await world.settle();
    const spans = exporter.getFinishedSpans();
    assert.equal(new Set(spans.map((span) => span.spanContext().traceId)).size, 1);
    assert.ok(spans.some((span) => span.name === 'process execute' && lastPart(span) === 'greeter'));
  });

  it('that is not sampled is sampled nowhere', async () => {
    record(new AlwaysOffSampler());
    const alice = await start('alice@acme.example');
    const bob = await world.runtime('bob@partner.example');
    const traces: (string | undefined)[] = [];
    bob.incoming.use((envelope) => {
      traces.push(envelope.trace);
      return envelope;
    });
    const { peer } = bob.host(greeter);
    await world.until(alice.ask(peer, { type: 'greet', name: 'Zoe' }));
    assert.match(traces[0] ?? '', /-00$/);
    assert.deepEqual(exporter.getFinishedSpans(), []);
  });

  it('keeps bodies to itself', async () => {
    const [alice, bob] = [await start('alice@acme.example'), await start('bob@partner.example')];
    const { peer } = bob.host(greeter);
    await world.until(alice.ask(peer, { type: 'greet', name: 'Rumpelstiltskin' }));
    const shown = exporter
      .getFinishedSpans()
      .map(({ name, attributes, status }) => ({ name, attributes, status }));
    assert.ok(shown.length > 2);
    assert.doesNotMatch(JSON.stringify(shown), /Rumpelstiltskin/);
  });
});
