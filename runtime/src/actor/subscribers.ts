/**
 * The subscribers of one hyperty: peers that get its exposed snapshot at every change and the events that it emits.
 * A subscription is a lease: who does not renew it is forgotten.
 */
import type { Address } from '../message/address.ts';
import { FabricError } from '../message/error.ts';

/** What peers see of a hyperty's snapshot. */
export interface ExposedSnapshot {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** State value of the machine. */
  readonly value?: unknown;
  /** What the definition's `expose` gave. */
  readonly context?: unknown;
  readonly output?: unknown;
}

/** How long a subscription lasts without renewal, milliseconds. */
export const SUBSCRIPTION_LEASE_MS = 600_000;

interface Subscriber {
  readonly address: Address;
  expiresAt: number;
}

/** Sends to one subscriber; `re` is the id of its subscription. */
export type Publish = (to: Address, re: string, type: 'update' | 'event', body: unknown) => void;

/** The subscribers of one hyperty. */
export class Subscribers {
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #capacity: number;
  readonly #publish: Publish;
  #last = '';

  constructor(capacity: number, publish: Publish) {
    this.#capacity = capacity;
    this.#publish = publish;
  }

  get size(): number {
    return this.#subscribers.size;
  }

  /** Adds or renews a subscription. @throws FabricError `mailbox-full` when there are too many */
  add(id: string, address: Address, now: number): void {
    const known = this.#subscribers.get(id);
    if (known && known.address !== address) throw new FabricError('forbidden', 'This subscription is somebody else’s.');
    if (!known && this.#subscribers.size >= this.#capacity) this.#forgetExpired(now);
    if (!known && this.#subscribers.size >= this.#capacity) {
      throw new FabricError('mailbox-full', `There are ${this.#capacity} subscribers already; try again later.`);
    }
    this.#subscribers.set(id, { address, expiresAt: now + SUBSCRIPTION_LEASE_MS });
  }

  /** Removes a subscription if it belongs to `address`. */
  remove(id: string, address: Address): void {
    if (this.#subscribers.get(id)?.address === address) this.#subscribers.delete(id);
  }

  /** Sends a snapshot to all, unless it looks like the one before. */
  update(snapshot: ExposedSnapshot, now: number): void {
    const text = JSON.stringify(snapshot);
    if (text === this.#last) return;
    this.#last = text;
    this.#toAll('update', snapshot, now);
  }

  /** Sends an emitted event to all. */
  emit(event: unknown, now: number): void {
    this.#toAll('event', event, now);
  }

  #toAll(type: 'update' | 'event', body: unknown, now: number): void {
    this.#forgetExpired(now);
    for (const [id, { address }] of this.#subscribers) this.#publish(address, id, type, body);
  }

  #forgetExpired(now: number): void {
    for (const [id, { expiresAt }] of this.#subscribers) if (expiresAt <= now) this.#subscribers.delete(id);
  }
}
