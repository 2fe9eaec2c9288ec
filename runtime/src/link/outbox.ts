/**
 * The outbox of a link: what waits to be sent and what was sent but not acknowledged, in order. An envelope gets its
 * number when it is first sent, so one that is withdrawn before leaves no gap. Durable ones (with `seq`) keep their place
 * over sessions. Pure: no timers, no I/O.
 */
import type { Address } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Encoded } from './entry.ts';
import { encodeEntry, escapedBytes } from './entry.ts';

/** One envelope in the outbox. */
export interface OutboxItem {
  encoded: Encoded;
  /** Epoch milliseconds after which it is given up. */
  readonly expiresAt: number;
  /** When it was sent last, undefined before. */
  sentAt: number | undefined;
  /** True once it has been sent more than once: its round trip says nothing (Karn's rule). */
  repeated: boolean;
  withdrawn: boolean;
}

/** A run of consecutive items that fit into one frame. */
export interface Batch {
  /** Number of the first item. */
  readonly first: number;
  readonly items: readonly OutboxItem[];
  /** JSON text of the entries. */
  readonly entries: string;
}

/** True when an envelope outlives its link: its sender keeps it, and its receiver knows a repeat by its `seq`. */
export const isDurable = ({ seq }: Envelope): boolean => seq !== undefined;

/** Envelopes between acceptance and acknowledgement. */
export class Outbox {
  #items: OutboxItem[] = [];
  readonly #byId = new Map<string, OutboxItem>();
  /** Durable items that are not given up, in order. */
  readonly #durable = new Set<OutboxItem>();
  /** Number of the first item in `#items`. */
  #base = 1;
  /** Items that have a number: sent at least once. */
  #numbered = 0;
  /** Next item to send. */
  #cursor = 0;
  /** Items that were withdrawn since they were last looked for among those without a number. */
  #withdrawals = 0;

  /** Envelopes that wait for being sent or acknowledged. */
  get size(): number {
    return this.#items.length;
  }

  /** Envelopes sent and not acknowledged. */
  get unacknowledged(): number {
    return this.#numbered;
  }

  /** Durable envelopes among those that wait. */
  get durable(): number {
    return this.#durable.size;
  }

  /** Number of the last envelope that was sent. */
  get lastNumber(): number {
    return this.#base + this.#numbered - 1;
  }

  add(encoded: Encoded, expiresAt: number): void {
    const item = { encoded, expiresAt, sentAt: undefined, repeated: false, withdrawn: false };
    this.#items.push(item);
    this.#byId.set(encoded.envelope.id, item);
    if (isDurable(encoded.envelope)) this.#durable.add(item);
  }

  /** The next item to send, if the credit `limit` allows it. */
  peek(limit: number): OutboxItem | undefined {
    this.#skipWithdrawn();
    return this.#base + this.#cursor <= limit ? this.#items[this.#cursor] : undefined;
  }

  /** Takes the next items that fit into `maxBytes`, up to number `limit`; undefined when there is none to send. */
  take(limit: number, maxBytes: number, now: number): Batch | undefined {
    const first = this.#base + this.#cursor;
    const items: OutboxItem[] = [];
    const texts: string[] = [];
    let bytes = 2;
    for (let item = this.peek(limit); item; item = this.peek(limit)) {
      if (needsSpill(item.encoded, maxBytes)) break;
      const text = encodeEntry(item.encoded, items.at(-1)?.encoded.envelope);
      bytes += escapedBytes(text) + 1;
      if (bytes > maxBytes && items.length > 0) break;
      item.repeated = item.sentAt !== undefined;
      item.sentAt = now;
      items.push(item);
      texts.push(text);
      this.#cursor += 1;
      this.#numbered = Math.max(this.#numbered, this.#cursor);
    }
    return items.length === 0 ? undefined : { first, items, entries: `[${texts.join(',')}]` };
  }

  /** Drops what the peer has taken over. Returns the dropped items; none when `ack` is old or impossible. */
  acknowledge(ack: number): readonly OutboxItem[] {
    const acknowledged = ack - this.#base + 1;
    if (acknowledged <= 0 || acknowledged > this.#numbered) return [];
    return this.#dropFirst(acknowledged);
  }

  /** Takes back what was spilled: the bodies are still here. */
  forgetSpills(): void {
    for (const item of this.#items) {
      const { spill, ...whole } = item.encoded;
      if (spill) item.encoded = whole;
    }
  }

  /** Everything unacknowledged is to be sent again. */
  rewind(): void {
    this.#cursor = 0;
  }

  /**
   * Starts numbering anew for a peer in a new life. Durable items that had been sent stay first in line; so do the others
   * when `again`, marked as such. Without it they are removed and returned, unless given up: their fate is unknown.
   */
  restart({ again }: { readonly again: boolean }): readonly OutboxItem[] {
    const sent = this.#items.slice(0, this.#numbered);
    const kept = sent.filter((item) => this.#durable.has(item) || (again && !item.withdrawn));
    const dropped = sent.filter((item) => !this.#durable.has(item) && (!again || item.withdrawn));
    for (const item of dropped) this.#forget(item);
    for (const item of kept) if (!this.#durable.has(item)) item.encoded = { ...item.encoded, again };
    this.#items = [...kept, ...this.#items.slice(this.#numbered)];
    this.#startAnew();
    return dropped.filter(({ withdrawn }) => !withdrawn);
  }

  /**
   * Starts numbering anew for a peer that closed in order after `ack`: what it did not take over is sent again. Returns
   * what it did.
   */
  renumber(ack: number): readonly OutboxItem[] {
    const acknowledged = this.acknowledge(ack);
    this.#startAnew();
    return acknowledged;
  }

  /** Gives up on an envelope. Tells whether it was still here: `unsent`, `unacknowledged`, or `gone` (taken over). */
  withdraw(id: string): 'unsent' | 'unacknowledged' | 'gone' {
    const item = this.#byId.get(id);
    if (!item) return 'gone';
    this.#giveUp(item);
    this.#withdrawals += 1;
    if (this.#withdrawals * 2 > this.#items.length - this.#numbered) this.#removeWithdrawn();
    return item.sentAt === undefined ? 'unsent' : 'unacknowledged';
  }

  /**
   * Gives up on the durable envelopes for one receiver, and returns them in order: they are to go another way. Those that
   * have a number still go out, as the peer waits for it.
   */
  takeDurable(to: Address): readonly OutboxItem[] {
    const taken = [...this.#durable].filter(({ encoded }) => encoded.envelope.to === to);
    for (const item of taken) this.#giveUp(item);
    if (taken.length > 0) this.#removeWithdrawn();
    return taken;
  }

  /** Gives up on an item whose body cannot go. If it has a number, that goes out without it, and nobody takes it for whole. */
  hollow(item: OutboxItem): void {
    const { seq: _seq, ...envelope } = item.encoded.envelope;
    this.#giveUp(item);
    item.encoded = { envelope, body: undefined };
  }

  /**
   * Gives up on the items that have expired, and returns those that had not been given up before. What was sent stays
   * here until it is acknowledged: the peer waits for its number.
   */
  expire(now: number): readonly OutboxItem[] {
    const expired = this.#items.filter((item) => item.expiresAt <= now && !item.withdrawn);
    for (const item of expired) this.#giveUp(item);
    this.#removeWithdrawn();
    return expired;
  }

  /** True when something unacknowledged was given up, and all else of it can be sent in another session as well. */
  get isForsaken(): boolean {
    const sent = this.#items.slice(0, this.#numbered);
    return (
      sent.some(({ withdrawn }) => withdrawn) &&
      sent.every((item) => item.withdrawn || this.#durable.has(item))
    );
  }

  /** Removes everything; returns what was not given up. */
  clear(): readonly OutboxItem[] {
    const items = this.#dropFirst(this.#items.length);
    this.#startAnew();
    return items.filter(({ withdrawn }) => !withdrawn);
  }

  #startAnew(): void {
    this.#base = 1;
    this.#cursor = 0;
    this.#numbered = 0;
  }

  #dropFirst(amount: number): readonly OutboxItem[] {
    const dropped = this.#items.splice(0, amount);
    for (const item of dropped) this.#forget(item);
    this.#base += amount;
    this.#numbered = Math.max(0, this.#numbered - amount);
    this.#cursor = Math.max(0, this.#cursor - amount);
    return dropped;
  }

  #skipWithdrawn(): void {
    for (
      let item = this.#items[this.#cursor];
      item?.withdrawn && this.#cursor >= this.#numbered;
      item = this.#items[this.#cursor]
    ) {
      this.#remove(this.#cursor, item);
    }
  }

  #remove(index: number, item: OutboxItem): void {
    this.#items.splice(index, 1);
    this.#forget(item);
  }

  /** What was withdrawn and has no number leaves no gap. */
  #removeWithdrawn(): void {
    this.#withdrawals = 0;
    const unsent = this.#items.splice(this.#numbered);
    for (const item of unsent) {
      if (item.withdrawn) this.#forget(item);
      else this.#items.push(item);
    }
  }

  #giveUp(item: OutboxItem): void {
    item.withdrawn = true;
    this.#durable.delete(item);
  }

  /** One that was given up may be offered again, under the same id, while the first is still here. */
  #forget(item: OutboxItem): void {
    this.#durable.delete(item);
    const { id } = item.encoded.envelope;
    if (this.#byId.get(id) === item) this.#byId.delete(id);
  }
}

/** True when an envelope is too large for a frame of its own and has not been spilled yet. */
export function needsSpill(encoded: Encoded, maxBytes: number): boolean {
  if (encoded.spill || encoded.body === undefined || encoded.body.length < maxBytes / 6) return false;
  return escapedBytes(encodeEntry(encoded, undefined)) + 2 > maxBytes;
}
