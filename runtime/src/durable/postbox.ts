/**
 * The postbox: writes messages into the mailboxes of durable hyperties. When that is done a message counts as taken over.
 * While the store takes nothing, messages of durable senders wait, as they are sent again only after a restart; others
 * are refused.
 */
import type { Origin, Reception } from '../bus/endpoint.ts';
import type { Address } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import { delay, type Clock } from '../platform/clock.ts';
import type { Store } from '../store/store.ts';
import { keys } from './keys.ts';
import { encode, mailOf, type MailRow, type Stream } from './record.ts';
import type { Sequencer } from './sequencer.ts';
import { placeOf } from './turn.ts';

/** What a postbox needs around it. */
export interface PostboxDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly sequencer: Sequencer;
  readonly tag: string;
  /** A message has been kept. False: nothing here handles it. */
  readonly arrived: (to: Address, row: MailRow) => boolean;
}

const RETRY_MS = { first: 100, longest: 5000 };
/** Messages taken and not handled; more are refused, unless their senders are durable and so wait by themselves. */
const CAPACITY = 65_536;

/** Takes messages over. */
export class Postbox {
  readonly #deps: PostboxDeps;
  /** Those whose handling somebody waits for. */
  readonly #unhandled = new Map<string, () => void>();
  #isStopped = false;

  constructor(deps: PostboxDeps) {
    this.#deps = deps;
  }

  /** Takes a message over, unless `exists` turns out false. */
  take(envelope: Envelope, origin: Origin | undefined, exists: Promise<void> | undefined): Reception {
    const { sequencer, tag } = this.#deps;
    const isPatient = envelope.seq !== undefined;
    if (this.#unhandled.size >= CAPACITY && !isPatient)
      throw new FabricError('mailbox-full', `${CAPACITY} messages wait here already; send more slowly.`);
    const key = keys.mail(envelope.to, placeOf(sequencer, tag));
    const { seq: _seq, ...plain } = envelope;
    const stream = streamOf(envelope, origin);
    const row: MailRow = { key, envelope: plain, ...(stream ? { stream } : {}) };
    const kept = exists ? exists.then(() => this.#keep(row, isPatient)) : this.#keep(row, isPatient);
    const handled = new Promise<void>((resolve) => this.#unhandled.set(key, resolve));
    kept.catch(() => this.handled([row]));
    return { kept, handled };
  }

  /** Mail has been handled. */
  handled(rows: readonly MailRow[]): void {
    for (const { key } of rows) {
      this.#unhandled.get(key)?.();
      this.#unhandled.delete(key);
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #keep(row: MailRow, isPatient: boolean): Promise<void> {
    const { store, clock, arrived } = this.#deps;
    const write = { key: row.key, value: encode(mailOf(row)) };
    for (let waitMs = RETRY_MS.first; ; waitMs = Math.min(RETRY_MS.longest, waitMs * 2)) {
      try {
        await store.commit([write]);
        break;
      } catch (caught) {
        const error = FabricError.from(caught);
        const isUnknown = error.details['outcome'] === 'unknown'; // it may be kept: refusing it might be a lie
        if (error.code !== 'storage' || !(isPatient || isUnknown) || this.#isStopped) throw error;
        await delay(clock, waitMs);
      }
    }
    if (!arrived(row.envelope.to, row)) this.handled([row]);
  }
}

/** Whose message it is, where it could come twice. */
function streamOf({ from, id, seq }: Envelope, origin: Origin | undefined): Stream | undefined {
  if (seq) return { sender: from, epoch: seq.epoch, token: seq.token, last: seq.number };
  if (origin) return { sender: origin.peer, epoch: origin.life, token: 0, last: id };
  return undefined;
}
