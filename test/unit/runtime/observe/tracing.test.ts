import assert from 'node:assert/strict';
import { FabricError } from '@hyperty/runtime';
import { SpanKind, SpanStatusCode, trace, type Context, type Span, type SpanContext, type SpanOptions, type SpanStatus } from '@opentelemetry/api'; // prettier-ignore
import type { EnvelopeHeader } from '../../../../runtime/src/message/envelope.ts';
import { createTracing } from '../../../../runtime/src/observe/tracing.ts';

interface Recorded {
  readonly name: string;
  readonly options: SpanOptions;
  readonly parent: SpanContext | undefined;
  readonly ends: unknown[];
  status?: SpanStatus;
  readonly attributes: Record<string, unknown>;
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
const header = {
  id: 'e1',
  from: 'hyperty://acme.example/alice/visitor',
  to: 'hyperty://partner.example/bob/greeter',
  type: 'execute',
  trace: `00-${traceId}-b7ad6b7169203331-01`,
} as EnvelopeHeader;

/** A provider that notes what it is told, and gives each span the same name. */
function recordSpans(): Recorded[] {
  const spans: Recorded[] = [];
  const startSpan = (name: string, options: SpanOptions = {}, context?: Context): Span => {
    const recorded: Recorded = {
      name,
      options,
      parent: context && trace.getSpanContext(context),
      ends: [],
      attributes: {},
    };
    spans.push(recorded);
    const spanContext = { traceId: recorded.parent?.traceId ?? 'f'.repeat(32), spanId: '00f067aa0ba902b7', traceFlags: 1 }; // prettier-ignore
    return {
      spanContext: () => spanContext,
      isRecording: () => true,
      end: (at?: unknown) => recorded.ends.push(at),
      setStatus: (status: SpanStatus) => (recorded.status = status),
      setAttribute: (key: string, value: unknown) => (recorded.attributes[key] = value),
    } as unknown as Span;
  };
  const tracer = { startSpan, startActiveSpan: () => assert.fail('no context manager is needed') };
  trace.setGlobalTracerProvider({ getTracer: () => tracer as never });
  return spans;
}

describe('tracing', () => {
  afterEach(() => trace.disable());

  it('begins a span below that of the envelope, and names it for what is said meanwhile', () => {
    const spans = recordSpans();
    const span = createTracing().begin('process', header, 1000);
    span.end({ at: 1500 });
    span.end();
    assert.equal(span.trace, `00-${traceId}-00f067aa0ba902b7-01`);
    assert.equal(spans[0]?.name, 'process execute');
    assert.equal(spans[0].parent?.spanId, 'b7ad6b7169203331');
    assert.equal(spans[0].parent.isRemote, true);
    assert.equal(spans[0].options.kind, SpanKind.CONSUMER);
    assert.equal(spans[0].options.startTime, 1000);
    assert.equal(spans[0].options.attributes?.['messaging.destination.name'], header.to);
    assert.deepEqual(spans[0].ends, [1500]);
  });

  it('begins a new trace for an envelope without one, or with one that is none', () => {
    const spans = recordSpans();
    const { trace: _, ...untraced } = header;
    createTracing().begin('send', untraced).end();
    createTracing()
      .begin('send', { ...header, trace: 'nonsense' })
      .end();
    assert.deepEqual(
      spans.map(({ parent }) => parent),
      [undefined, undefined],
    );
  });

  it('tells why the work failed', () => {
    const spans = recordSpans();
    createTracing()
      .begin('send', header)
      .end({ error: new FabricError('offline', 'Nobody is there.') });
    assert.equal(spans[0]?.attributes['error.type'], 'offline');
    assert.deepEqual(spans[0].status, { code: SpanStatusCode.ERROR, message: 'Nobody is there.' });
  });

  it('records nothing, and gives no name, without an SDK', () => {
    const span = createTracing().begin('send', header);
    span.end();
    assert.equal(span.trace, undefined);
  });
});
