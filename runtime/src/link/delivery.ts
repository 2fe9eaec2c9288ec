/**
 * Delivery: turns the entries of a session, already in order, into envelopes and hands them on one by one. Fetches
 * spilled bodies on the way, refuses envelopes that speak for somebody else, and counts what is still being handled,
 * which is what credit is made of.
 */
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
  /** Hands an envelope on; a promise settles when it has been handled. */
  readonly deliver: (envelope: Envelope) => void | Promise<void>;
  /** Reports an envelope that cannot be handed on, so that its sender is told. */
  readonly refuse: (envelope: Envelope, error: FabricError) => void;
  /** Reports something that nobody can be told about. */
  readonly reject: (error: FabricError, envelope?: Envelope) => void;
  /** Called when entries have been handed on or handled later than in {@link Delivery.push}. */
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
  #delivered = 0;
  #inProgress = 0;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  /** Number of the last entry that has been handed on. */
  get delivered(): number {
    return this.#delivered;
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
      this.#delivered = number;
      this.#hand(entry);
      return;
    }
    this.#fetching = true;
    void this.#fetch(entry).finally(() => {
      this.#fetching = false;
      if (this.#abort.signal.aborted) return;
      this.#delivered = number;
      this.#drain();
      this.#deps.progress();
    });
  }

  #drain(): void {
    const waiting = this.#queue;
    this.#queue = [];
    this.push(waiting);
  }

  async #fetch(entry: Record<string, unknown>): Promise<void> {
    const { spill: reference, ...head } = entry;
    const envelope = this.#read(head); // who speaks, and to whom, before anything is fetched for them
    if (!envelope) return;
    try {
      const body = await this.#download(reference);
      if (!this.#abort.signal.aborted) this.#hand({ ...head, body });
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
      const envelope = decodeEnvelope(entry);
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

  #hand(entry: Record<string, unknown>): void {
    const envelope = this.#read(entry);
    if (!envelope) return;
    const handled = this.#deps.deliver(envelope);
    if (!handled) return;
    this.#inProgress += 1;
    void handled.finally(() => {
      this.#inProgress -= 1;
      if (!this.#abort.signal.aborted) this.#deps.progress();
    });
  }
}

/** A runtime speaks for the addresses of its owner; for a runtime only that runtime itself. */
const speaksFor = (peer: RuntimeAddress, from: Address): boolean =>
  from.startsWith('runtime:') ? from === peer : ownsAddress(peer, from);

/** Not ours to deliver, and not ours to answer for. */
const misaddressed = ({ to }: Envelope, self: RuntimeAddress): FabricError =>
  new FabricError('invalid', `A message for ${to} came to ${self}, whose owner it is not; it was dropped.`);
