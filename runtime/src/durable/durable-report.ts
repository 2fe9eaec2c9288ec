/**
 * What a store has of durable hyperties, for people: which there are, what waits for them, what they have sent, what is
 * parked. It reads and changes nothing, tells no context, and no body but of parked messages, and reads only so much, however much there is.
 */
import type { Address } from '../message/address.ts';
import type { Entry, Store } from '../store/store.ts';
import { addressOfKey, keys, ofHyperty, ofShard, placeOfKey, shardNames, type RowKind } from './keys.ts';
import type { HypertyRecord, Parked } from './record.ts';

/** How many there are; `isMore`: at least so many, as counting has ended there. */
export interface Tally {
  readonly count: number;
  readonly isMore: boolean;
}

/** A time at which a durable hyperty is woken. */
export interface WakeTime {
  /** The id of a reminder; absent for a delay of the machine itself. */
  readonly reminder?: string;
  /** Type of the event that comes then. */
  readonly event: string;
  /** Epoch milliseconds. */
  readonly dueMs: number;
}

/** A durable hyperty as its store has it. */
export interface DurableSummary {
  readonly address: Address;
  /** Name of its definition; undefined when what the store has is damaged. */
  readonly machine?: string;
  readonly version?: number;
  /** State value of its machine. */
  readonly state?: unknown;
  /** Messages in its mailbox. */
  readonly mailbox: Tally;
  /** When it is woken, earliest first; at most 20. */
  readonly wakes: readonly WakeTime[];
}

/** A parked message. */
export interface ParkedSummary {
  readonly address: Address;
  /** Names it among those of its hyperty. */
  readonly place: string;
  /** As the log names it; undefined, as what else is, when what the store has is damaged. */
  readonly id?: string;
  readonly from: string;
  /** Type of its envelope. */
  readonly type: string;
  /** Type of the event in its body. */
  readonly event?: string;
  /** What it says, as it came: it may hold secrets, and be long. */
  readonly body?: unknown;
  /** How often it has crashed its hyperty. */
  readonly attempts: number;
  readonly error: { readonly name: string; readonly message: string };
  /** When it was parked, epoch milliseconds. */
  readonly at: number;
}

/** What a store has of durable hyperties: at most 1,000 entries of each list. */
export interface DurableReport {
  /** Of more, those with mail come first. */
  readonly hyperties: readonly DurableSummary[];
  /** All in the store. */
  readonly total: {
    readonly hyperties: Tally;
    readonly mail: Tally;
    readonly outgoing: Tally;
    readonly parked: Tally;
  };
  /** Messages that other runtimes have not taken over, by receiver; the most first. */
  readonly outgoing: readonly { readonly to: string; readonly messages: number }[];
  readonly parked: readonly ParkedSummary[];
}

/** Entries of each list, and messages that are counted of one mailbox. */
const MAX_LISTED = 1000;
/** Rows that are read of each kind at most. */
const MAX_ROWS = 20_000;
/** Rows that are read at one time: some are large. */
const PAGE = 256;
const MAX_WAKES = 20;

/** Reads the report. @throws FabricError `storage closed` */
export async function readDurableReport(store: Store): Promise<DurableReport> {
  const mail = await readMail(store);
  const records = await readRows(store, 'd', MAX_LISTED);
  const outgoing = await readRows(store, 'o', MAX_ROWS);
  const parked = await readRows(store, 'p', MAX_LISTED);
  return {
    hyperties: (await busyFirst(store, records.rows, mail)).map((row) => summaryOf(row, mail)),
    total: {
      hyperties: tallyOf(records),
      mail: mail.total,
      outgoing: tallyOf(outgoing),
      parked: tallyOf(parked),
    },
    outgoing: byReceiver(outgoing.rows),
    parked: parked.rows.map(parkedSummaryOf),
  };
}

interface Rows {
  readonly rows: readonly Entry[];
  readonly isMore: boolean;
}

const tallyOf = ({ rows, isMore }: Rows): Tally => ({ count: rows.length, isMore });

/** The first rows of a kind, all shards together. */
async function readRows(store: Store, kind: RowKind | 'd', most: number): Promise<Rows> {
  const rows: Entry[] = [];
  for (const shard of shardNames) {
    const { from: start, to } = ofShard(kind, shard);
    for (let from = start; ;) {
      const page = await store.range({ from, to, limit: PAGE });
      rows.push(...page);
      if (rows.length > most) return { rows: rows.slice(0, most), isMore: true };
      const last = page.at(-1);
      if (!last) break;
      from = after(last.key);
    }
  }
  return { rows, isMore: false };
}

/** Of very many, those that have mail are listed. */
async function busyFirst(
  store: Store,
  rows: readonly Entry[],
  { of }: MailCounts,
): Promise<readonly Entry[]> {
  if (rows.length < MAX_LISTED) return rows;
  const busy: Entry[] = [];
  for (const address of [...of.keys()].slice(0, MAX_LISTED)) {
    const key = keys.record(address);
    const value = await store.get(key);
    if (value !== undefined) busy.push({ key, value });
  }
  const listed = new Set(busy.map(({ key }) => key));
  return [...busy, ...rows.filter(({ key }) => !listed.has(key))].slice(0, MAX_LISTED);
}

interface MailCounts {
  readonly of: ReadonlyMap<Address, Tally>;
  readonly total: Tally;
}

/** Counts mail. A mailbox that is very full is not counted to its end: the others come to their turn. */
async function readMail(store: Store): Promise<MailCounts> {
  const counts = new Map<Address, Tally>();
  let total = 0;
  let isMore = false;
  for (const shard of shardNames) {
    const { from: start, to } = ofShard('m', shard);
    for (let from = start; total < MAX_ROWS;) {
      const page = await store.range({ from, to, limit: PAGE });
      const last = page.at(-1);
      if (!last) break;
      total += page.length;
      from = after(last.key);
      for (const { key } of page) count(counts, addressOfKey(key));
      const address = addressOfKey(last.key);
      if ((counts.get(address)?.count ?? 0) < MAX_LISTED) continue;
      counts.set(address, { count: MAX_LISTED, isMore: true });
      isMore = true;
      from = ofHyperty('m', address).to;
    }
  }
  return { of: counts, total: { count: total, isMore: isMore || total >= MAX_ROWS } };
}

function count(counts: Map<Address, Tally>, address: Address): void {
  counts.set(address, { count: (counts.get(address)?.count ?? 0) + 1, isMore: false });
}

/** The key that comes next: no key has a character below this one. */
const after = (key: string): string => `${key}!`;

function summaryOf({ key, value }: Entry, mail: MailCounts): DurableSummary {
  const address = addressOfKey(key);
  const isUncounted = mail.total.count >= MAX_ROWS;
  const mailbox = mail.of.get(address) ?? { count: 0, isMore: isUncounted };
  const record = parsed<Partial<HypertyRecord>>(value);
  const { machine, version, snapshot, timers = [], reminders = {} } = record ?? {};
  if (machine === undefined || version === undefined) return { address, mailbox, wakes: [] };
  const wakes = [
    ...timers.map(({ event, dueMs }) => ({ event: typeName(event.type), dueMs })),
    ...Object.entries(reminders).flatMap(([reminder, { event, nextMs }]) =>
      nextMs === undefined ? [] : [{ reminder, event: typeName(event.type), dueMs: nextMs }],
    ),
  ];
  const state = (snapshot as { value?: unknown } | undefined)?.value;
  return {
    address,
    machine,
    version,
    ...(state === undefined ? {} : { state }),
    mailbox,
    wakes: wakes.toSorted((one, other) => one.dueMs - other.dueMs).slice(0, MAX_WAKES),
  };
}

/** XState names the event of a delay `xstate.after.60000.machine.state`. */
const typeName = (type: string): string =>
  /^xstate\.after\.([^.]+)\./.exec(type)?.[1]?.replace(/^/, 'after ') ?? type;

function byReceiver(rows: readonly Entry[]): DurableReport['outgoing'] {
  const counts = new Map<string, number>();
  for (const { value } of rows) {
    const to = parsed<{ to?: unknown }>(value)?.to;
    const receiver = typeof to === 'string' ? to : '?';
    counts.set(receiver, (counts.get(receiver) ?? 0) + 1);
  }
  return [...counts]
    .map(([to, messages]) => ({ to, messages }))
    .toSorted((one, other) => other.messages - one.messages)
    .slice(0, MAX_LISTED);
}

function parkedSummaryOf({ key, value }: Entry): ParkedSummary {
  const { envelope, attempts = 0, error, at = 0 } = parsed<Partial<Parked>>(value) ?? {};
  const { id, from = '?', type = '?', body } = envelope ?? {};
  const event = (body as { readonly type?: unknown } | null | undefined)?.type;
  return {
    address: addressOfKey(key),
    place: placeOfKey(key),
    ...(typeof id === 'string' ? { id } : {}),
    from,
    type,
    ...(typeof event === 'string' ? { event } : {}),
    ...(body === undefined ? {} : { body }),
    attempts,
    error: error ?? { name: 'Error', message: 'What the store has of it is damaged.' },
    at,
  };
}

/** JSON that may be damaged: a report about what is broken must not break. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows what is written there
function parsed<T extends object>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
