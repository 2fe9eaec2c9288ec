/** What stands above links in tests of durable envelopes: a sender that keeps them, and a receiver that tells repeats. */
import type { Clock, Envelope } from '@hyperty/runtime';
import type { Origin, Reception } from '../../../../runtime/src/bus/endpoint.ts';
import type { Links } from '../../../../runtime/src/link/links.ts';

const COMMIT_MS = 30;
const RETRY_MS = 1000;

/** Offers durable envelopes in order, from the first that is not taken over, each time one comes back. */
export class Offers {
  readonly waiting = new Map<string, Envelope>();
  /** How often each durable envelope was reported as taken over. */
  readonly kept = new Map<string, number>();
  /** Volatile envelopes that came back. */
  readonly told = new Set<string>();
  readonly #clock: Clock;
  readonly #links: () => Links;
  #isStalled = false;

  constructor(clock: Clock, links: () => Links) {
    this.#clock = clock;
    this.#links = links;
  }

  offer(envelope: Envelope): void {
    if (envelope.seq) this.waiting.set(envelope.id, envelope);
    if (envelope.seq) this.#giveUnlessStalled(envelope);
    else this.#give(envelope);
  }

  onKept({ id }: Envelope): void {
    this.waiting.delete(id);
    this.kept.set(id, (this.kept.get(id) ?? 0) + 1);
  }

  onUndeliverable({ id, seq }: Envelope): void {
    if (!seq) this.told.add(id);
    else if (!this.#isStalled) {
      this.#isStalled = true;
      this.#clock.setTimeout(() => {
        this.#again();
      }, RETRY_MS);
    }
  }

  #again(): void {
    this.#isStalled = false;
    for (const envelope of this.waiting.values()) this.#links().withdraw(envelope);
    for (const envelope of [...this.waiting.values()]) this.#giveUnlessStalled(envelope);
  }

  #giveUnlessStalled(envelope: Envelope): void {
    if (!this.#isStalled) this.#give(envelope);
  }

  #give(envelope: Envelope): void {
    try {
      void this.#links().send(envelope);
    } catch {
      this.onUndeliverable(envelope);
    }
  }
}

/** Takes envelopes over as a durable hyperty does: after a commit, which a crash prevents; repeats are dropped. */
export class Desk {
  readonly taken: Envelope[] = [];
  /** Volatile envelopes that were refused as repeats; their sender is told. */
  readonly refused = new Set<string>();
  readonly #clock: Clock;
  readonly #marks = new Map<string, number>();
  readonly #ids = new Set<string>();
  #timers = new Set<unknown>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(envelope: Envelope, origin: Origin, hasStore: boolean): Reception | undefined {
    if (!hasStore) {
      if (origin.isRepeat) this.refused.add(envelope.id);
      else this.#commit(envelope, origin);
      return undefined;
    }
    const kept = new Promise<void>((resolve) => {
      const timer = this.#clock.setTimeout(() => {
        this.#timers.delete(timer);
        this.#commit(envelope, origin);
        resolve();
      }, COMMIT_MS);
      this.#timers.add(timer);
    });
    return { kept, handled: kept };
  }

  crash(): void {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#timers = new Set();
  }

  #commit(envelope: Envelope, { isRepeat }: Origin): void {
    const { id, from, seq } = envelope;
    const isKnown = seq ? seq.number <= (this.#marks.get(from) ?? 0) : isRepeat && this.#ids.has(id);
    if (isKnown) return;
    if (seq) this.#marks.set(from, seq.number);
    this.#ids.add(id);
    this.taken.push(envelope);
  }
}
