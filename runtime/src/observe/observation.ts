/**
 * What a running runtime shows of itself to whoever watches it from outside: its report, its latest dead letters, and
 * since when it runs. Plain data, bounded, without secrets. Readers take fields that they do not know, and do without
 * those that are optional: the two ends may be of different versions.
 */
import * as z from 'zod';
import type { DeadLetter, DeadLetterLog } from '../bus/dead-letters.ts';
import type { Address } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { ObservableDurable } from './durable-observation.ts';
import { maskSecrets } from './secrets.ts';

const count = z.number();

/** A hyperty as it is shown. */
const hypertySchema = z.looseObject({
  address: z.string(),
  status: z.string(),
  mailboxDepth: count,
  /** Its XState state value, where the runtime tells it. */
  state: z.unknown().optional(),
  durable: z.boolean().optional(),
  /** Why a durable one cannot run. */
  reason: z.string().optional(),
  /** Timers that run for it: how many, or a list. */
  timers: z.union([count, z.array(z.unknown())]).optional(),
});

/** A link as it is shown. */
const linkSchema = z.looseObject({
  peer: z.string(),
  path: z.string(),
  state: z.string(),
  roundTripMs: count.optional(),
  waiting: count,
  /** Durable ones among those that wait. */
  durable: count.optional(),
  unacknowledged: count,
  lastSent: count,
  lastReceived: count,
  skewMs: count.optional(),
});

/** A dead letter as it is shown: its header and the reason, never its body. */
const deadLetterSchema = z.looseObject({
  /** Epoch milliseconds. */
  at: z.number(),
  from: z.string(),
  to: z.string(),
  type: z.string(),
  code: z.string(),
  message: z.string(),
});

const observationSchema = z.looseObject({
  pid: z.number().optional(),
  /** Epoch milliseconds since when the runtime is watched. */
  startedAt: z.number(),
  /** Epoch milliseconds of this observation. */
  at: z.number(),
  report: z.looseObject({
    address: z.string(),
    hyperties: z.array(hypertySchema),
    links: z.array(linkSchema),
    pendingRequests: count,
    /** All that ever came. */
    deadLetters: count,
    /** Durable messages that other runtimes have not taken over, where there is a store. */
    outgoing: count.optional(),
  }),
  /** Hyperties and links that the report leaves out, because there are too many. */
  omitted: z.object({ hyperties: count, links: count }),
  /** The latest, oldest first. */
  latestDeadLetters: z.array(deadLetterSchema),
});

/** What a runtime shows of itself. */
export type Observation = z.infer<typeof observationSchema>;

/** What is looked at of a report; that of a runtime has all of it, and more. */
export interface ObservableReport {
  readonly address: string;
  readonly hyperties: readonly {
    readonly address: string;
    readonly status: string;
    readonly mailboxDepth: number;
    readonly durable?: boolean;
  }[];
  readonly links: readonly {
    readonly peer: string;
    readonly path: string;
    readonly state: string;
    readonly roundTripMs?: number | undefined;
    readonly waiting: number;
    readonly unacknowledged: number;
    readonly lastSent: number;
    readonly lastReceived: number;
  }[];
  readonly pendingRequests: number;
  readonly deadLetters: number;
  readonly outgoing?: number;
}

/** A runtime as far as it can be watched; `Runtime` fits. */
export interface ObservableRuntime {
  readonly deadLetters: Pick<DeadLetterLog, 'list'>;
  inspect(): ObservableReport;
  /** What its store has of durable hyperties; undefined without a store. */
  inspectDurable?(): Promise<ObservableDurable | undefined>;
  /** Messages that are parked, at most 1,000. */
  parked?(): Promise<readonly unknown[]>;
  /** Puts a parked message back, or drops it. @throws FabricError `not-found storage` */
  unpark?(
    message: { readonly address: Address; readonly place: string },
    then: 'retry' | 'drop',
  ): Promise<void>;
}

/** Hyperties, and links, that one observation lists. */
const MAX_LISTED = 1000;
const MAX_DEAD_LETTERS = 20;
const MAX_REASON_CHARS = 500;
const MAX_TYPE_CHARS = 100;

/** Looks at a runtime. Of very many hyperties and links it lists those that have the most waiting. */
export function observe(
  runtime: ObservableRuntime,
  when: { readonly startedAt: number; readonly at: number; readonly pid?: number },
): Observation {
  const report = runtime.inspect();
  const hyperties = mostOf(report.hyperties, ({ mailboxDepth }) => mailboxDepth);
  const links = mostOf(report.links, ({ waiting }) => waiting);
  return {
    ...when,
    report: {
      ...report,
      hyperties: hyperties.map((it) => ({ ...it })),
      links: links.map((it) => ({ ...it })),
    },
    omitted: {
      hyperties: report.hyperties.length - hyperties.length,
      links: report.links.length - links.length,
    },
    latestDeadLetters: runtime.deadLetters.list().slice(-MAX_DEAD_LETTERS).map(headerAndReason),
  };
}

/** Reads an observation that another process has sent. @throws FabricError `invalid` */
export function parseObservation(value: unknown): Observation {
  const { success, data, error } = observationSchema.safeParse(value);
  if (success) return data;
  throw new FabricError(
    'invalid',
    'What the runtime tells of itself is not understood: it may be of another version.',
    {
      cause: error,
    },
  );
}

function headerAndReason({ at, envelope, error }: DeadLetter): Observation['latestDeadLetters'][number] {
  const { from, to, type } = envelope;
  const message = maskSecrets(error.message.slice(0, MAX_REASON_CHARS));
  return { at, from, to, type: type.slice(0, MAX_TYPE_CHARS), code: error.code, message };
}

const mostOf = <T>(items: readonly T[], waiting: (item: T) => number): readonly T[] =>
  items.length <= MAX_LISTED
    ? items
    : items.toSorted((one, other) => waiting(other) - waiting(one)).slice(0, MAX_LISTED);
