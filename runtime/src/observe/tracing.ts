/**
 * Spans of OpenTelemetry for what envelopes set going. A span is begun before an envelope leaves, and its name, as a
 * `traceparent`, goes into that envelope; whoever handles it begins the next span from there. So one trace shows a
 * message's way through two companies, though each records only its own spans. Without an SDK in the process nothing
 * is recorded and `trace` is undefined. Bodies and contexts never become attributes.
 */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';
import type { EnvelopeHeader } from '../message/envelope.ts';
import type { FabricError } from '../message/error.ts';
import { TRACEPARENT_PATTERN } from '../message/trace.ts';

/** What is done with an envelope while a span lasts. */
export type SpanWork = 'send' | 'process';

/** A span that has not ended. */
export interface OpenSpan {
  /** `traceparent` for what is said meanwhile; undefined when the span is not recorded: then make one of your own. */
  readonly trace: string | undefined;
  /** Ends it, once; with an error when the work failed. `at`: epoch milliseconds, now by default. */
  end(outcome?: { readonly error?: FabricError; readonly at?: number }): void;
}

/** Begins spans. A runtime that has none of it traces nothing. */
export interface Tracing {
  /** Begins a span below the envelope's `trace`, a new trace without one. `at`: epoch milliseconds, now by default. */
  begin(work: SpanWork, envelope: EnvelopeHeader, at?: number): OpenSpan;
}

/** How each work is shown, after OpenTelemetry's semantic conventions for messaging. */
const KINDS = { send: SpanKind.PRODUCER, process: SpanKind.CONSUMER } as const satisfies Record<
  SpanWork,
  SpanKind
>;

/** Tracing through the tracer provider that the process has registered, whenever that happens. */
export function createTracing(): Tracing {
  const tracer = trace.getTracer('@hyperty/runtime');
  return {
    begin(work, { id, from, to, type, trace: parent }, at) {
      const span = tracer.startSpan(
        `${work} ${type}`,
        {
          kind: KINDS[work],
          ...(at === undefined ? {} : { startTime: at }),
          attributes: {
            'messaging.system': 'hyperty',
            'messaging.operation.type': work,
            'messaging.message.id': id,
            'messaging.destination.name': to,
            'hyperty.from': from,
          },
        },
        contextOf(parent),
      );
      return { trace: span.isRecording() ? traceparentOf(span) : undefined, end: endOnce(span) };
    },
  };
}

function endOnce(span: Span): OpenSpan['end'] {
  let ended = false;
  return ({ error, at } = {}) => {
    if (ended) return;
    ended = true;
    if (error !== undefined) {
      span.setAttribute('error.type', error.code);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    span.end(at);
  };
}

function contextOf(traceparent: string | undefined): Context {
  if (traceparent === undefined || !TRACEPARENT_PATTERN.test(traceparent)) return ROOT_CONTEXT;
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
  });
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
