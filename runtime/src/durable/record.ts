/** What is kept of a durable hyperty, and how it is written. */
import * as z from 'zod';
import type { Address } from '../message/address.ts';
import type { Envelope, EnvelopeHeader } from '../message/envelope.ts';
import { describeIssues } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';

/** An event that an actor of the machine is to be sent at a time: XState's `after` and delayed actions. */
export interface StoredTimer {
  readonly id: string;
  /** Ids of the children that lead to the actor which set it; none: the machine itself. */
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly event: { readonly type: string };
  /** Epoch milliseconds. */
  readonly dueMs: number;
  /** How long it was set for. However far the clock goes back, it does not wait longer than this again. */
  readonly delayMs: number;
}

/** A reminder and how far it has come. */
export interface StoredReminder {
  readonly schedule: unknown;
  readonly event: { readonly type: string };
  /** Runs until then have been given. */
  readonly afterMs: number;
  /** The next run, epoch milliseconds; undefined when there is none any more. */
  readonly nextMs?: number | undefined;
}

/** A durable hyperty as its store has it. */
export interface HypertyRecord {
  /** Name of its definition's descriptor. */
  readonly machine: string;
  /** Version of the shape of its snapshot. */
  readonly version: number;
  /** Transactions until now: no two records of a hyperty are alike. */
  readonly turns: number;
  /** XState's persisted snapshot. */
  readonly snapshot: unknown;
  readonly timers: readonly StoredTimer[];
  readonly reminders: Readonly<Record<string, StoredReminder>>;
  /** Requests accepted and not answered. */
  readonly open: readonly EnvelopeHeader[];
  /** Number of the last message that it sent. */
  readonly lastNumber: number;
  /** When it is woken, as its alarm row says. */
  readonly alarmMs?: number | undefined;
  /** It has children under way, and an awake row. */
  readonly isBusy: boolean;
}

const event = z.looseObject({ type: z.string() });
const path = z.array(z.string());
const recordSchema = z.object({
  machine: z.string(),
  version: z.int(),
  turns: z.int().default(0),
  snapshot: z.unknown(),
  timers: z.array(
    z.object({ id: z.string(), source: path, target: path, event, dueMs: z.number(), delayMs: z.number() }),
  ),
  reminders: z.record(
    z.string(),
    z.object({ schedule: z.unknown(), event, afterMs: z.number(), nextMs: z.number().optional() }),
  ),
  open: z.array(z.looseObject({ id: z.string(), from: z.string(), to: z.string(), type: z.string() })),
  lastNumber: z.number(),
  alarmMs: z.number().optional(),
  isBusy: z.boolean(),
});

/** Reads a record. @throws FabricError `invalid` when it is damaged */
export function decodeRecord(text: string, address: Address): HypertyRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new FabricError('invalid', `What the store has of ${address} is no JSON; restore a backup.`, {
      cause,
    });
  }
  const result = recordSchema.safeParse(parsed);
  if (result.success) return result.data as unknown as HypertyRecord;
  const text_ = `What the store has of ${address} is damaged (${describeIssues(result.error)}); restore a backup.`;
  throw new FabricError('invalid', text_);
}

/**
 * Writes plain data as JSON text. Errors become `{ name, message, code }`.
 * @throws TypeError for what JSON cannot hold at all: a cycle, a BigInt
 */
export const encode = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => plainError(part));

function plainError(part: unknown): unknown {
  if (!(part instanceof Error)) return part;
  const { name, message } = part;
  return part instanceof FabricError ? { name, ...part.toJSON() } : { name, message };
}

/**
 * Finds what would not survive in a value that is to be kept.
 * @returns where and what, or undefined when all of it is plain data
 */
export function oddityIn(value: unknown, where = 'snapshot'): string | undefined {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean')
    return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${where} is ${value}`;
  if (typeof value !== 'object') return `${where} is a ${typeof value}`;
  if (value instanceof Error) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null)
    return `${where} is a ${value.constructor.name}`;
  for (const [key, part] of Object.entries(value)) {
    const oddity = oddityIn(part, `${where}.${key}`);
    if (oddity !== undefined) return oddity;
  }
  return undefined;
}

/** Whose message a row holds, and where in that sender's order: what tells a repeat. */
export interface Stream {
  /** Address of a durable sender, or of the runtime that a sender which is not durable runs in. */
  readonly sender: string;
  /** Name of the sender's store, or of its runtime's life. */
  readonly epoch: string;
  readonly token: number;
  /** Numbers of durable senders; ids, which sort by age, of others. */
  readonly last: number | string;
}

/** A message in a mailbox. */
export interface Mail {
  readonly envelope: Envelope;
  /** Absent for messages that cannot come twice. */
  readonly stream?: Stream;
  /** How often it has crashed its hyperty. */
  readonly attempts?: number;
}

/** Mail with its key. */
export interface MailRow extends Mail {
  readonly key: string;
}

/** Mail without its key, as it is written. */
export const mailOf = ({ envelope, stream, attempts }: Mail): Mail => ({
  envelope,
  ...(stream ? { stream } : {}),
  ...(attempts === undefined ? {} : { attempts }),
});

/** A parked message. */
export interface Parked extends Mail {
  readonly error: { readonly name: string; readonly message: string };
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Reads JSON that this code has written. @throws FabricError `invalid` when it is damaged */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows what it has written
export function decodeRow<T extends { readonly envelope: Envelope }>(key: string, text: string): T {
  try {
    const row = JSON.parse(text) as T;
    if (typeof row.envelope.id === 'string') return row;
  } catch {
    // told below
  }
  throw new FabricError('invalid', `The store's row "${key.slice(0, 200)}" is damaged; restore a backup.`);
}

/**
 * True when a message, or a later one of its sender, has been handled already. The number alone says so: whoever runs the
 * sender goes on above the last number that was kept, and sends again first what an earlier process had kept.
 */
export function isRepeat(mark: Stream | undefined, { epoch, last }: Stream): boolean {
  return mark?.epoch === epoch && last <= mark.last;
}
