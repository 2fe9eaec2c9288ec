/** The requests that a hyperty has accepted and not answered yet. */
import type { EnvelopeHeader } from '../message/envelope.ts';

/**
 * From this many on, requests that nobody waits for any more are forgotten: each time that as many have come as there
 * were after the last time, so that a full table costs no more for each request than an empty one.
 */
const SWEEP_ABOVE = 1024;

/** Above this many the oldest is forgotten, whatever deadline its sender chose; that sender hears `timeout`. */
const CAPACITY = 65_536;

/** Accepted requests by id. */
export class OpenRequests {
  readonly #headers = new Map<string, EnvelopeHeader>();
  #untilSweep = SWEEP_ABOVE;

  add(header: EnvelopeHeader, now: number): void {
    if (this.#untilSweep === 0) this.#forgetOverdue(now);
    this.#untilSweep -= 1;
    const [oldest] = this.#headers.keys();
    if (this.#headers.size >= CAPACITY && oldest !== undefined) this.#headers.delete(oldest);
    this.#headers.set(header.id, header);
  }

  has(id: string): boolean {
    return this.#headers.has(id);
  }

  remove(id: string): void {
    this.#headers.delete(id);
  }

  /** Empties the table; returns what was open. */
  clear(): readonly EnvelopeHeader[] {
    const open = [...this.#headers.values()];
    this.#headers.clear();
    return open;
  }

  #forgetOverdue(now: number): void {
    for (const [id, { deadline }] of this.#headers) {
      if (deadline === undefined || deadline < now) this.#headers.delete(id);
    }
    this.#untilSweep = Math.max(SWEEP_ABOVE, this.#headers.size);
  }
}
