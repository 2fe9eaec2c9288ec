/** What a runtime shows of its durable hyperties to whoever watches it from outside. Bounded, without secrets. */
import * as z from 'zod';
import { FabricError } from '../message/error.ts';
import { maskSecrets, redact } from './secrets.ts';

/** Of how many at least; exact unless `isMore`. */
const tally = z.looseObject({ count: z.number(), isMore: z.boolean() });

const durableObservationSchema = z.looseObject({
  hyperties: z.array(
    z.looseObject({
      address: z.string(),
      machine: z.string().optional(),
      version: z.number().optional(),
      state: z.unknown().optional(),
      mailbox: tally,
      wakes: z.array(
        z.looseObject({ reminder: z.string().optional(), event: z.string(), dueMs: z.number() }),
      ),
    }),
  ),
  total: z.looseObject({ hyperties: tally, mail: tally, outgoing: tally, parked: tally }),
  outgoing: z.array(z.looseObject({ to: z.string(), messages: z.number() })),
  parked: z.array(
    z.looseObject({
      address: z.string(),
      place: z.string(),
      id: z.string().optional(),
      from: z.string(),
      type: z.string(),
      event: z.string().optional(),
      body: z.unknown().optional(),
      attempts: z.number(),
      error: z.looseObject({ name: z.string(), message: z.string() }),
      at: z.number(),
    }),
  ),
});

/** What a runtime shows of its durable hyperties; the report of `Runtime.inspectDurable` fits. */
export type DurableObservation = z.infer<typeof durableObservationSchema>;

/** What is shown of a report of durable hyperties; that of a runtime has all of it. */
export interface ObservableDurable {
  readonly parked: readonly {
    readonly error: { readonly name: string; readonly message: string };
    readonly event?: string;
    readonly body?: unknown;
  }[];
}

const MAX_REASON_CHARS = 500;
const MAX_BODY_CHARS = 2000;
const MAX_EVENT_CHARS = 200;

/**
 * Makes a report fit to be shown: what was thrown or sent may hold secrets, and be long. A body whose JSON has more than
 * 2,000 characters becomes a text: so much of it.
 */
export function observeDurable(report: ObservableDurable): ObservableDurable {
  return {
    ...report,
    parked: report.parked.map((message) => {
      const { error, event, body, ...rest } = message;
      return {
        ...rest,
        ...(event === undefined ? {} : { event: maskSecrets(event.slice(0, MAX_EVENT_CHARS)) }),
        ...(body === undefined ? {} : { body: shownBody(body) }),
        error: { name: error.name, message: maskSecrets(error.message.slice(0, MAX_REASON_CHARS)) },
      };
    }),
  };
}

function shownBody(body: unknown): unknown {
  const masked = redact(body);
  const text = JSON.stringify(masked);
  return text.length > MAX_BODY_CHARS ? `${text.slice(0, MAX_BODY_CHARS)}…` : masked;
}

/** Reads what another process has sent. @throws FabricError `invalid` */
export function parseDurableObservation(value: unknown): DurableObservation {
  const { success, data, error: cause } = durableObservationSchema.safeParse(value);
  if (success) return data;
  const text =
    'What the runtime tells of its durable hyperties is not understood: it may be of another version.';
  throw new FabricError('invalid', text, { cause });
}
