/**
 * Spans of OpenTelemetry for what envelopes set going. A span is begun before an envelope leaves, and its name, as a
 * `traceparent`, goes into that envelope; whoever handles it begins the next span from there. So one trace shows a
 * message's way through two companies, though each records only its own spans. Without an SDK in the process nothing
 * is recorded and `trace` is undefined. Bodies and contexts never become attributes.
 */
import { isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api'; // prettier-ignore
import { TRACEPARENT_PATTERN } from '../message/trace.ts';
import type { OpenSpan, SpanWork, Tracing } from '../platform/tracing.ts';

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
      return { trace: traceparentOf(span, parent), end: endOnce(span) };
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

/** Also of a span that a sampler leaves out, so that all runtimes leave it out; without an SDK there is none of its own. */
function traceparentOf(span: Span, parent: string | undefined): string | undefined {
  const context = span.spanContext();
  const { traceId, spanId, traceFlags } = context;
  if (!isSpanContextValid(context) || parent?.includes(`-${spanId}-`)) return undefined;
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
