/**
 * Delivery: turns the entries of a session, already in order, into envelopes and hands them on one by one. Fetches
 * spilled bodies on the way, refuses envelopes that speak for somebody else, and tells what has been taken over, which
 * is acknowledged, from what has been handled, which credit is made of.
 */
import type { Reception } from '../bus/endpoint.ts';
import { domainOf, ownsAddress, type Address, type RuntimeAddress } from '../message/address.ts';
import { decodeEnvelope, type Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import { delay, type Clock } from '../platform/clock.ts';
import type { MediaStore } from '../protostub/protostub.ts';
import { spillSchema } from './entry.ts';
import type { Numbered } from './inbox.ts';
import { fetchSpill } from './spill.ts';

/** What a delivery needs from its link. */
export interface DeliveryDeps {
  readonly self: RuntimeAddress;
  readonly peer: RuntimeAddress;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
  /** The media stores of all paths, that of the path in use first: the sender may have used another one. */
  readonly media: () => readonly MediaStore[];
  /** Milliseconds that the peer's clock is ahead of ours. */
  readonly skewMs: () => number;
  /** Hands an envelope on, `isRepeat` when an earlier life of this runtime may have it. Undefined: it has been handled. */
  readonly deliver: (envelope: Envelope, isRepeat: boolean) => Reception | undefined;
  /** Reports an envelope that cannot be handed on, so that its sender is told. */
  readonly refuse: (envelope: Envelope, error: FabricError) => void;
  /** Reports something that nobody can be told about. */
  readonly reject: (error: FabricError, envelope?: Envelope) => void;
  /** Called when entries have been handed on, kept or handled later than in {@link Delivery.push}. */
  readonly progress: () => void;
}

const FETCH_ATTEMPTS = 5;
const FETCH_RETRY_MS = 500;

/** The receiving end of one session. */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #abort = new AbortController();
  #queue: Numbered[] = [];
  #fetching = false;
  /** Number of the last entry that has been handed on. */
  #handed = 0;
  /** Numbers of entries that have been handed on and not yet been taken over, ascending. */
  readonly #unkept = new Set<number>();
  #inProgress = 0;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  /** All entries up to this number have been taken over: they may be acknowledged. */
  get delivered(): number {
    const [first] = this.#unkept;
    return first === undefined ? this.#handed : first - 1;
  }

  /** Entries that have been handed on, less those under way: what credit is counted from. */
  get settled(): number {
    return this.#handed - Math.max(this.#inProgress, this.#unkept.size);
  }

  /** Entries that have been handed on and are not handled yet. */
  get inProgress(): number {
    return this.#inProgress;
  }

  /** Takes the next entries, in order. */
  push(entries: readonly Numbered[]): void {
    for (const entry of entries) {
      if (this.#fetching || this.#queue.length > 0) this.#queue.push(entry);
      else this.#next(entry);
    }
  }

  /** Ends the session: nothing more is handed on. */
  stop(): void {
    this.#abort.abort();
    this.#queue = [];
  }

  #next({ number, entry }: Numbered): void {
    if (entry['spill'] === undefined) {
      this.#handed = number;
      this.#hand(number, entry);
      return;
    }
    this.#fetching = true;
    void this.#fetch(number, entry).finally(() => {
      this.#fetching = false;
      if (this.#abort.signal.aborted) return;
      this.#handed = number;
      this.#drain();
      this.#deps.progress();
    });
  }

  #drain(): void {
    const waiting = this.#queue;
    this.#queue = [];
    this.push(waiting);
  }

  async #fetch(number: number, entry: Record<string, unknown>): Promise<void> {
    const { spill: reference, ...head } = entry;
    const envelope = this.#read(head); // who speaks, and to whom, before anything is fetched for them
    if (!envelope) return;
    try {
      const body = await this.#download(reference);
      if (!this.#abort.signal.aborted) this.#hand(number, { ...head, body });
    } catch (caught) {
      if (!this.#abort.signal.aborted) this.#deps.refuse(envelope, FabricError.from(caught));
    }
  }

  async #download(reference: unknown): Promise<unknown> {
    const { peer, clock, maxBodyBytes: maxBytes } = this.#deps;
    const spill = spillSchema.safeParse(reference);
    if (!spill.success) throw new FabricError('invalid', 'The reference to a spilled body is malformed.');
    const { signal } = this.#abort;
    const limits = { domain: domainOf(peer), maxBytes, signal };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await fetchSpill(spill.data, this.#deps.media(), limits);
      } catch (caught) {
        if (attempt >= FETCH_ATTEMPTS || !FabricError.from(caught).retryable) throw caught;
        await delay(clock, FETCH_RETRY_MS * 2 ** attempt, signal);
      }
    }
  }

  #read(entry: Record<string, unknown>): Envelope | undefined {
    const { self, peer, reject, skewMs } = this.#deps;
    try {
      const envelope = decodeEnvelope('again' in entry ? withoutMark(entry) : entry);
      if (!speaksFor(peer, envelope.from)) {
        reject(
          new FabricError(
            'forbidden',
            `${peer} sent a message in the name of ${envelope.from}; it was dropped.`,
          ),
          envelope,
        );
        return undefined;
      }
      if (!ownsAddress(self, envelope.to)) {
        reject(misaddressed(envelope, self), envelope);
        return undefined;
      }
      return envelope.deadline === undefined
        ? envelope
        : { ...envelope, deadline: envelope.deadline - skewMs() };
    } catch (caught) {
      reject(FabricError.from(caught));
      return undefined;
    }
  }

  #hand(number: number, entry: Record<string, unknown>): void {
    const envelope = this.#read(entry);
    if (!envelope) return;
    this.#unkept.add(number); // whoever asks meanwhile how far we are must not hear of it
    const reception = this.#deps.deliver(envelope, entry['again'] === true);
    if (!reception?.kept) this.#unkept.delete(number);
    else
      this.#follow(reception.kept, () => {
        this.#unkept.delete(number);
      });
    if (!reception) return;
    this.#inProgress += 1;
    this.#follow(reception.handled, () => {
      this.#inProgress -= 1;
    });
  }

  #follow(work: Promise<void>, ended: () => void): void {
    const settle = (): void => {
      ended();
      if (!this.#abort.signal.aborted) this.#deps.progress();
    };
    work.then(settle, settle);
  }
}

const withoutMark = ({ again: _again, ...envelope }: Record<string, unknown>): Record<string, unknown> =>
  envelope;

/** A runtime speaks for the addresses of its owner; for a runtime only that runtime itself. */
const speaksFor = (peer: RuntimeAddress, from: Address): boolean =>
  from.startsWith('runtime:') ? from === peer : ownsAddress(peer, from);

/** Not ours to deliver, and not ours to answer for. */
const misaddressed = ({ to }: Envelope, self: RuntimeAddress): FabricError =>
  new FabricError('invalid', `A message for ${to} came to ${self}, whose owner it is not; it was dropped.`);
