/**
 * A turn: what one or several events did to a durable hyperty, until all of it is durable in one transaction. Nothing of
 * it leaves before.
 */
import type { Saying } from '../actor/dialogue.ts';
import type { Bus } from '../bus/bus.ts';
import type { Address, HypertyAddress } from '../message/address.ts';
import { errorBody, type Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Write } from '../store/store.ts';
import { keys, sortable } from './keys.ts';
import { encode, type HypertyRecord, type MailRow, type Stream } from './record.ts';
import type { Sequencer } from './sequencer.ts';

/** Something said during a turn. */
export interface Said {
  readonly saying: Saying;
  /** Id of the envelope, where it was promised already. */
  readonly id?: string;
}

/** What has gathered in a turn. */
export class Turn {
  readonly said: Said[] = [];
  /** Updates for subscribers; they are not kept, as a newer one replaces them. */
  readonly publications: Saying[] = [];
  readonly after: (() => void)[] = [];
  /** Mail that has been dealt with. */
  readonly rows: MailRow[] = [];
  /** The latest message of each sender that was heard. */
  readonly marks = new Map<string, Stream>();
  /** What else is to be kept. */
  readonly writes: Write[] = [];
  /** True once something has happened that must be kept or sent. */
  isTouched = false;
}

/** What turning a turn into a transaction needs. */
export interface TurnDeps {
  readonly address: HypertyAddress;
  readonly bus: Bus;
  readonly sequencer: Sequencer;
  /** Name of the store. */
  readonly epoch: string;
  /** Fencing token of the hyperty's shard. */
  readonly token: number;
  /** Short name of this process, which makes its mailbox places unique. */
  readonly tag: string;
  /** True when a durable hyperty lives at `address` in the same store. */
  readonly hosts: (address: Address) => boolean | Promise<boolean>;
}

/** Mail for a hyperty of the same store. */
export interface Delivery {
  readonly to: Address;
  readonly row: MailRow;
}

/** A turn ready to be kept, and what is to happen after. */
export interface Transaction {
  readonly writes: readonly Write[];
  /** For other runtimes. */
  readonly outgoing: readonly Envelope[];
  /** For hyperties of the same store; their mail is among the writes. */
  readonly deliveries: readonly Delivery[];
  /** For those that live no longer than this process. */
  readonly passing: readonly Envelope[];
  /** What came back at once. */
  readonly refused: readonly { readonly envelope: Envelope; readonly error: FabricError }[];
  /** Number of the last message. */
  readonly lastNumber: number;
}

/** Longest text of a message. */
const MAX_MESSAGE_CHARS = 8 * 1024 * 1024;

/** The place of a message in a mailbox. */
export const placeOf = (sequencer: Sequencer, tag: string): string => `${sortable(sequencer.next())}-${tag}`;

/** Composes the messages, marks and mail of a turn. */
export async function compose(turn: Turn, lastNumber: number, deps: TurnDeps): Promise<Transaction> {
  const transaction = {
    writes: [
      ...turn.rows.map(({ key }) => ({ key, value: null })),
      ...turn.writes,
      ...[...turn.marks].map(([sender, mark]) => ({
        key: keys.mark(deps.address, sender),
        value: encode(mark),
      })),
    ] as Write[],
    outgoing: [] as Envelope[],
    deliveries: [] as Delivery[],
    passing: [] as Envelope[],
    refused: [] as { envelope: Envelope; error: FabricError }[],
    lastNumber,
  };
  for (const { saying, id } of turn.said) {
    const envelope: Envelope = { id: id ?? deps.bus.ids.next(), from: deps.address, ...saying };
    const number = deps.sequencer.next();
    try {
      const routed = route(envelope, number, deps);
      const { kind, ...what } = routed instanceof Promise ? await routed : routed;
      if (kind === 'passing') transaction.passing.push(what.envelope);
      else if (kind === 'outgoing') transaction.outgoing.push(what.envelope);
      else if (what.row) transaction.deliveries.push({ to: what.envelope.to, row: what.row });
      transaction.writes.push(...what.writes);
    } catch (caught) {
      const error = FabricError.from(caught);
      if (error.code === 'closed') throw error; // this process stops: all of it comes again
      refuse(transaction, envelope, { error, deps });
    }
    transaction.lastNumber = deps.sequencer.last; // places in mailboxes count as well
  }
  return transaction;
}

interface Routed {
  readonly kind: 'passing' | 'outgoing' | 'delivery';
  readonly envelope: Envelope;
  readonly row?: MailRow;
  readonly writes: readonly Write[];
}

/** Three kinds of receivers: in this process only, in this store, anywhere else. */
function route(envelope: Envelope, number: number, deps: TurnDeps): Routed | Promise<Routed> {
  const { bus, hosts, epoch, token } = deps;
  if (bus.isBound(envelope.to)) return { kind: 'passing', envelope, writes: [] };
  const isHere = hosts(envelope.to);
  const choose = (here: boolean): Routed | Promise<Routed> => {
    if (!here) {
      const durable = { ...envelope, seq: { epoch, token, number } };
      return {
        kind: 'outgoing',
        envelope: durable,
        writes: [{ key: keys.outgoing(deps.address, number), value: textOf(durable) }],
      };
    }
    const passed = bus.pass(envelope);
    return passed instanceof Promise ? passed.then((one) => deliver(one, deps)) : deliver(passed, deps);
  };
  return isHere instanceof Promise ? isHere.then(choose) : choose(isHere);
}

function deliver(envelope: Envelope, { sequencer, tag }: TurnDeps): Routed {
  const key = keys.mail(envelope.to, placeOf(sequencer, tag));
  return {
    kind: 'delivery',
    envelope,
    row: { key, envelope },
    writes: [{ key, value: textOf({ envelope }) }],
  };
}

/** What cannot be sent comes back to the machine when it waits for an answer; otherwise it is a dead letter. */
function refuse(
  transaction: {
    writes: Write[];
    deliveries: Delivery[];
    refused: { envelope: Envelope; error: FabricError }[];
  },
  envelope: Envelope,
  { error, deps }: { error: FabricError; deps: TurnDeps },
): void {
  if (envelope.type !== 'execute') {
    transaction.refused.push({ envelope, error });
    return;
  }
  const { row, write } = answerFor(envelope, error, deps);
  transaction.deliveries.push({ to: envelope.from, row });
  transaction.writes.push(write);
}

/** Mail that tells a durable hyperty how its question failed. */
export function answerFor(
  request: Envelope,
  error: FabricError,
  { bus, sequencer, tag }: Pick<TurnDeps, 'bus' | 'sequencer' | 'tag'>,
): { readonly row: MailRow; readonly write: Write } {
  const { id: re, from: to, to: from } = request;
  const envelope: Envelope = { id: bus.ids.next(), from, to, type: 'response', re, body: errorBody(error) };
  const key = keys.mail(to, placeOf(sequencer, tag));
  return { row: { key, envelope }, write: { key, value: encode({ envelope }) } };
}

function textOf(value: unknown): string {
  let text: string;
  try {
    text = encode(value);
  } catch (cause) {
    throw new FabricError('invalid', `A message cannot be written as JSON: ${(cause as Error).message}.`, {
      cause,
    });
  }
  if (text.length <= MAX_MESSAGE_CHARS) return text;
  throw new FabricError(
    'too-large',
    `A message has ${text.length} characters; at most ${MAX_MESSAGE_CHARS} can be kept.`,
  );
}

/** The writes that keep the hyperty itself: its record, and the rows that wake it. */
export function recordWrites(
  address: HypertyAddress,
  record: HypertyRecord | undefined,
  before: HypertyRecord | undefined,
): Write[] {
  const writes: Write[] = [{ key: keys.record(address), value: record ? encode(record) : null }];
  if (before?.alarmMs !== record?.alarmMs) {
    if (before?.alarmMs !== undefined) writes.push({ key: keys.alarm(address, before.alarmMs), value: null });
    if (record?.alarmMs !== undefined) writes.push({ key: keys.alarm(address, record.alarmMs), value: '1' });
  }
  if ((before?.isBusy ?? false) !== (record?.isBusy ?? false))
    writes.push({ key: keys.awake(address), value: record?.isBusy ? '1' : null });
  return writes;
}
