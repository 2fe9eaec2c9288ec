/**
 * The postbox: writes messages into the mailboxes of durable hyperties. When that is done a message counts as taken over.
 * While the store takes nothing, messages of durable senders wait, as they are sent again only after a restart; others
 * are refused. Nothing is kept before what came earlier for the same receiver: of what is overtaken, the receiver would
 * believe that it is a repeat.
 */
import type { Origin, Reception } from '../bus/endpoint.ts';
import type { Address } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import { delay, type Clock } from '../platform/clock.ts';
import type { Store, Write } from '../store/store.ts';
import { addressOfKey, keys, shardOf } from './keys.ts';
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

/** A message on its way into the store. */
interface Letter {
  readonly row: MailRow;
  readonly write: Write;
  /** It waits while the store fails. */
  readonly isPatient: boolean;
  readonly exists: Promise<void> | undefined;
  readonly resolve: () => void;
  readonly reject: (error: FabricError) => void;
}

/** Letters to one receiver, in the order in which they came. */
interface Lane {
  readonly letters: Letter[];
  /** Why the store takes nothing now. */
  failure: FabricError | undefined;
}

/** Letters that share one transaction. */
const BATCH = 256;
const RETRY_MS = { first: 100, longest: 5000 };
/** Messages taken and not handled; more are refused, unless their senders are durable and so wait by themselves. */
const CAPACITY = 65_536;

/** Takes messages over. */
export class Postbox {
  readonly #deps: PostboxDeps;
  /** Those whose handling somebody waits for. */
  readonly #unhandled = new Map<string, () => void>();
  readonly #lanes = new Map<Address, Lane>();
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
    const write = { key, value: encode(mailOf(row)) };
    const kept = new Promise<void>((resolve, reject) => {
      this.#post({ row, write, isPatient, exists, resolve, reject });
    });
    const handled = new Promise<void>((done) => this.#unhandled.set(key, done));
    exists?.catch(() => undefined); // heard of in its turn
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

  /** Another process runs a shard: nobody here hears when its mail is handled, and senders get their credit back. */
  drop(shard: string): void {
    for (const [key, done] of this.#unhandled) {
      if (shardOf(addressOfKey(key)) !== shard) continue;
      this.#unhandled.delete(key);
      done();
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  #post(letter: Letter): void {
    const { to } = letter.row.envelope;
    const lane = this.#lanes.get(to);
    if (lane?.failure && !letter.isPatient) letter.reject(lane.failure);
    else if (lane) lane.letters.push(letter);
    else {
      const fresh: Lane = { letters: [letter], failure: undefined };
      this.#lanes.set(to, fresh);
      void this.#work(to, fresh);
    }
  }

  /** One transaction after the other, until nothing waits. */
  async #work(to: Address, lane: Lane): Promise<void> {
    await Promise.resolve(); // what comes together is kept together
    while (lane.letters.length > 0) await this.#keep(await expected(lane.letters.splice(0, BATCH)), lane);
    this.#lanes.delete(to);
  }

  async #keep(letters: readonly Letter[], lane: Lane): Promise<void> {
    let left = letters;
    for (let waitMs = RETRY_MS.first; left.length > 0; waitMs = Math.min(RETRY_MS.longest, waitMs * 2)) {
      const error = await this.#commit(left);
      if (!error) break;
      if (error.code !== 'storage' && left.length > 1) {
        for (const letter of left) await this.#keep([letter], lane); // one of them is the bad one
        return;
      }
      const isUnknown = error.details['outcome'] === 'unknown'; // it may be kept: refusing it might be a lie
      const mayWait = error.code === 'storage' && !this.#isStopped;
      const waits = ({ isPatient }: Letter): boolean => mayWait && (isPatient || isUnknown);
      for (const letter of left) if (!waits(letter)) letter.reject(error);
      left = left.filter(waits);
      if (left.length === 0) break;
      lane.failure = error;
      await delay(this.#deps.clock, waitMs);
      if (isUnknown) left = await this.#findOut(left, error);
    }
    lane.failure = undefined;
  }

  /**
   * Tells what became of messages of which nobody knows whether they are kept, where a second one would not be known as a
   * repeat. Returns the others.
   */
  async #findOut(letters: readonly Letter[], error: FabricError): Promise<readonly Letter[]> {
    for (const letter of letters.filter(({ row }) => !row.stream)) {
      const { key } = letter.row;
      const isKept = await this.#has(key);
      if (isKept) this.#arrived(letter);
      else if (isKept === false && !this.#unhandled.has(key)) letter.resolve();
      else letter.reject(error);
    }
    return letters.filter(({ row }) => row.stream);
  }

  /** Undefined when the store does not say before this process stops. */
  async #has(key: string): Promise<boolean | undefined> {
    for (;;) {
      try {
        return (await this.#deps.store.get(key)) !== undefined;
      } catch (caught) {
        if (FabricError.from(caught).code !== 'storage' || this.#isStopped) return undefined;
        await delay(this.#deps.clock, RETRY_MS.first);
      }
    }
  }

  #arrived({ row, resolve }: Letter): void {
    if (!this.#deps.arrived(row.envelope.to, row)) this.handled([row]);
    resolve();
  }

  async #commit(letters: readonly Letter[]): Promise<FabricError | undefined> {
    try {
      await this.#deps.store.commit(letters.map(({ write }) => write));
    } catch (caught) {
      return FabricError.from(caught);
    }
    for (const letter of letters) this.#arrived(letter);
    return undefined;
  }
}

/** Those letters whose receiver there is; the others go back. */
async function expected(letters: readonly Letter[]): Promise<readonly Letter[]> {
  const found: Letter[] = [];
  for (const letter of letters) {
    try {
      await letter.exists;
      found.push(letter);
    } catch (caught) {
      letter.reject(FabricError.from(caught));
    }
  }
  return found;
}

/** Whose message it is, where it could come twice. */
function streamOf({ from, id, seq }: Envelope, origin: Origin | undefined): Stream | undefined {
  if (seq) return { sender: from, epoch: seq.epoch, token: seq.token, last: seq.number };
  if (origin) return { sender: origin.peer, epoch: origin.life, token: 0, last: id };
  return undefined;
}
