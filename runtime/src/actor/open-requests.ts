/** The requests that a hyperty has accepted and not answered yet. */
import { domainOf, ownerOf } from '../message/address.ts';
import type { EnvelopeHeader } from '../message/envelope.ts';

/**
 * From this many on, requests that nobody waits for any more are forgotten: each time that as many have come as there
 * were after the last time, so that a full table costs no more for each request than an empty one.
 */
const SWEEP_ABOVE = 1024;

/** How many may be open. Above it the oldest is forgotten, whatever deadline its sender chose; that sender hears `timeout`. */
export interface OpenRequestsLimits {
  readonly capacity: number;
  /** Of one owner; device names and hyperty names are its own claim. */
  readonly perOwner: number;
}

const DEFAULT_LIMITS: OpenRequestsLimits = { capacity: 65_536, perOwner: Infinity };

/** Ids are unique for each sender alone: nobody can close or take over a request of somebody else. */
const keyOf = ({ id, from }: Sent): string => `${id} ${from}`;

type Sent = Pick<EnvelopeHeader, 'id' | 'from'>;

/** Accepted requests by sender and id. */
export class OpenRequests {
  readonly #headers = new Map<string, EnvelopeHeader>();
  readonly #limits: OpenRequestsLimits;
  #untilSweep = SWEEP_ABOVE;

  constructor(limits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  add(header: EnvelopeHeader, now: number): void {
    if (this.#untilSweep === 0) this.#forgetOverdue(now);
    this.#untilSweep -= 1;
    if (this.#headers.size >= this.#limits.capacity) this.#makeRoom();
    this.#limitOwner(header);
    this.#headers.set(keyOf(header), header);
  }

  has(request: Sent): boolean {
    return this.#headers.has(keyOf(request));
  }

  remove(request: Sent): void {
    this.#headers.delete(keyOf(request));
  }

  /** What is open, oldest first. */
  list(): readonly EnvelopeHeader[] {
    return [...this.#headers.values()];
  }

  /** Empties the table; returns what was open. */
  clear(): readonly EnvelopeHeader[] {
    const open = [...this.#headers.values()];
    this.#headers.clear();
    return open;
  }

  /** The oldest goes of the domain that has most: no homeserver pushes out the requests of others. */
  #makeRoom(): void {
    const counts = new Map<string, number>();
    let most = '';
    for (const { from } of this.#headers.values()) {
      const domain = domainOf(from);
      counts.set(domain, (counts.get(domain) ?? 0) + 1);
      if ((counts.get(domain) ?? 0) > (counts.get(most) ?? 0)) most = domain;
    }
    const first = [...this.#headers].find(([, { from }]) => domainOf(from) === most);
    if (first) this.#headers.delete(first[0]);
  }

  #limitOwner({ from }: Sent): void {
    if (this.#headers.size < this.#limits.perOwner) return;
    const owner = ownerOf(from);
    const own = [...this.#headers].filter(([, header]) => ownerOf(header.from) === owner);
    const [oldest] = own;
    if (own.length >= this.#limits.perOwner && oldest) this.#headers.delete(oldest[0]);
  }

  #forgetOverdue(now: number): void {
    for (const [key, { deadline }] of this.#headers) {
      if (deadline === undefined || deadline < now) this.#headers.delete(key);
    }
    this.#untilSweep = Math.max(SWEEP_ABOVE, this.#headers.size);
  }
}
