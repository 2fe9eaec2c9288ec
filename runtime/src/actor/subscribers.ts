/**
 * The subscribers of one hyperty: peers that get its exposed snapshot at every change and the events that it emits.
 * A subscription is a lease: who does not renew it is forgotten.
 */
import { SUBSCRIPTION_LEASE_MS } from '../bus/subscription.ts';
import { ownerOf, type Address } from '../message/address.ts';
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

/** Subscriptions of one owner to one hyperty: every change costs a message for each. */
const MAX_PER_OWNER = 64;

/** One message to one subscriber; `re` is the id of its subscription. */
export interface Publication {
  readonly to: Address;
  readonly re: string;
  readonly type: 'update' | 'event';
  readonly body: unknown;
}

interface Subscriber {
  readonly address: Address;
  readonly expiresAt: number;
}

/** The subscribers of one hyperty. */
export class Subscribers {
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #capacity: number;
  readonly #publish: (publication: Publication) => void;
  #last = '';

  constructor(capacity: number, publish: (publication: Publication) => void) {
    this.#capacity = capacity;
    this.#publish = publish;
  }

  /** Adds or renews a subscription. @throws FabricError `forbidden` (somebody else's), `mailbox-full` (too many) */
  add(id: string, address: Address, now: number): void {
    const known = this.#subscribers.get(id);
    if (known && known.address !== address) {
      throw new FabricError('forbidden', 'A subscription of this id belongs to somebody else.');
    }
    if (!known) this.#makeRoom(address, now);
    this.#subscribers.set(id, { address, expiresAt: now + SUBSCRIPTION_LEASE_MS });
  }

  /** Removes a subscription if it belongs to `address`. */
  remove(id: string, address: Address): void {
    if (this.#subscribers.get(id)?.address === address) this.#subscribers.delete(id);
  }

  /** True while anybody's subscription lasts. */
  hasAny(now: number): boolean {
    this.#forgetExpired(now);
    return this.#subscribers.size > 0;
  }

  /** Sends a snapshot to all, unless it looks like the one before. */
  update(snapshot: ExposedSnapshot, now: number): void {
    if (this.#subscribers.size === 0) {
      this.#last = '';
      return;
    }
    const text = JSON.stringify(snapshot);
    if (text === this.#last) return;
    this.#last = text;
    this.#toAll('update', snapshot, now);
  }

  /** Sends an emitted event to all. */
  emit(event: unknown, now: number): void {
    this.#toAll('event', event, now);
  }

  #makeRoom(address: Address, now: number): void {
    if (this.#subscribers.size < MAX_PER_OWNER && this.#subscribers.size < this.#capacity) return;
    this.#forgetExpired(now);
    if (this.#subscribers.size >= this.#capacity) {
      throw new FabricError(
        'mailbox-full',
        `There are ${this.#capacity} subscribers already; try again later.`,
      );
    }
    const owner = ownerOf(address);
    const own = [...this.#subscribers.values()].filter((other) => ownerOf(other.address) === owner);
    if (own.length >= MAX_PER_OWNER) {
      throw new FabricError(
        'mailbox-full',
        `${owner ?? address} holds ${own.length} subscriptions here already.`,
      );
    }
  }

  #toAll(type: Publication['type'], body: unknown, now: number): void {
    this.#forgetExpired(now);
    for (const [re, { address: to }] of this.#subscribers) this.#publish({ to, re, type, body });
  }

  #forgetExpired(now: number): void {
    for (const [id, { expiresAt }] of this.#subscribers) if (expiresAt <= now) this.#subscribers.delete(id);
  }
}
