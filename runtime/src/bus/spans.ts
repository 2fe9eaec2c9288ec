/** How spans and envelopes belong together on a bus. */
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { IdSource } from '../message/id.ts';
import { childTrace } from '../message/trace.ts';
import type { OpenSpan, Tracing } from '../platform/tracing.ts';

/** The trace of what is said because of something whose trace is `parent`. A span makes its own below it. */
export function traceBelow(
  { tracing, ids }: { readonly tracing: Tracing | undefined; readonly ids: IdSource },
  parent: string | undefined,
): { readonly trace?: string } {
  if (parent === undefined) return {};
  return { trace: tracing ? parent : childTrace(parent, (digits) => ids.hex(digits)) };
}

/** The envelope as it is sent while the span lasts. */
export const traced = (envelope: Envelope, { trace = envelope.trace }: OpenSpan): Envelope =>
  trace === undefined ? envelope : { ...envelope, trace };

/** Ends the span with the outcome of its request. */
export function endWith(span: OpenSpan, outcome: Promise<unknown>): void {
  const failed = (caught: unknown): void => span.end({ error: FabricError.from(caught) });
  outcome.then(() => span.end(), failed);
}
