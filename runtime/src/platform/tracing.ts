/** Tracing as the runtime needs it; what records the spans comes in from outside, see `observe/tracing.ts`. */
import type { EnvelopeHeader } from '../message/envelope.ts';
import type { FabricError } from '../message/error.ts';

/** What is done with an envelope while a span lasts. */
export type SpanWork = 'send' | 'process';

/** A span that has not ended. */
export interface OpenSpan {
  /** `traceparent` for what is said meanwhile; undefined when the span has no name of its own: then make one. */
  readonly trace: string | undefined;
  /** Ends it, once; with an error when the work failed. `at`: epoch milliseconds, now by default. */
  end(outcome?: { readonly error?: FabricError | undefined; readonly at?: number }): void;
}

/** Begins spans. A runtime that has none of it traces nothing. */
export interface Tracing {
  /** Begins a span below the envelope's `trace`, a new trace without one. `at`: epoch milliseconds, now by default. */
  begin(work: SpanWork, envelope: EnvelopeHeader, at?: number): OpenSpan;
}
