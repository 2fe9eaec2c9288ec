/** The requests that a hyperty has accepted and not answered yet. */
import type { EnvelopeHeader } from '../message/envelope.ts';

/** Above this many, requests that nobody waits for any more are forgotten. */
const SWEEP_ABOVE = 1024;

/** Above this many the oldest is forgotten, whatever deadline its sender chose; that sender hears `timeout`. */
const CAPACITY = 65_536;

/** Accepted requests by id. */
export class OpenRequests {
  readonly #headers = new Map<string, EnvelopeHeader>();

  add(header: EnvelopeHeader, now: number): void {
    if (this.#headers.size >= SWEEP_ABOVE) this.#forgetOverdue(now);
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
  }
}
