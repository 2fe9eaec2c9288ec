/**
 * What other servers have said of tokens, for a short while: a bounded number, by the SHA-256 of the token, so that no token is
 * kept. Who asks for the same token at the same time waits for one answer.
 */
import { hash } from 'node:crypto';
import { FabricError, type Clock } from '@hyperty/runtime';
import type { Caller } from '../caller.ts';

/** How much is kept, and for how long. */
export interface ProofCacheOptions {
  readonly clock: Clock;
  /** How long an accepted token is believed. */
  readonly acceptedMs: number;
  /** How long a refused one is refused without asking. Default 5 s. */
  readonly refusedMs?: number;
  /** Default 10,000; the oldest make room. */
  readonly maxEntries?: number;
}

interface Entry {
  readonly outcome: Caller | FabricError;
  readonly until: number;
}

/** The proofs of one kind of token. */
export class ProofCache {
  readonly #options: Required<ProofCacheOptions>;
  readonly #entries = new Map<string, Entry>();
  readonly #asking = new Map<string, Promise<Caller>>();

  constructor(options: ProofCacheOptions) {
    this.#options = { refusedMs: 5000, maxEntries: 10_000, ...options };
  }

  /** Tokens that are known. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The caller behind a token, or how to find out.
   * @param ask asks the server that has issued the token; `unauthenticated` is remembered, other errors are not
   * @throws FabricError `unauthenticated` when that was the answer a moment ago
   */
  prove(token: string, ask: () => Promise<Caller>): Caller | (() => Promise<Caller>) {
    const key = hash('sha256', token, 'base64url');
    const known = this.#entries.get(key);
    if (!known || known.until <= this.#options.clock.now()) return () => this.#ask(key, ask);
    if (known.outcome instanceof FabricError) throw known.outcome;
    return known.outcome;
  }

  #ask(key: string, ask: () => Promise<Caller>): Promise<Caller> {
    const asking = this.#asking.get(key);
    if (asking) return asking;
    const { acceptedMs, refusedMs } = this.#options;
    const answer = ask().then(
      (caller) => {
        this.#keep(key, caller, acceptedMs);
        return caller;
      },
      (error: unknown) => {
        const failure = FabricError.from(error, 'offline');
        if (failure.code === 'unauthenticated') this.#keep(key, failure, refusedMs);
        throw failure;
      },
    );
    const asked = answer.finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  #keep(key: string, outcome: Entry['outcome'], forMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { outcome, until: this.#options.clock.now() + forMs });
    if (this.#entries.size <= this.#options.maxEntries) return;
    const [oldest = ''] = this.#entries.keys();
    this.#entries.delete(oldest);
  }
}
