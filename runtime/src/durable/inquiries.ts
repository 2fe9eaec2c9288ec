/** The questions of one durable hyperty that wait for their answers. */
import type { Inquiry } from '../actor/context.ts';
import { decodeResponse, type Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Clock, Timer } from '../platform/clock.ts';

interface Waiting {
  readonly inquiry: Inquiry;
  readonly timer: Timer;
}

/** Questions by the id of their request. */
export class Inquiries {
  readonly #clock: Clock;
  readonly #turn: (run: () => void) => void;
  readonly #waiting = new Map<string, Waiting>();

  /** @param turn runs what a deadline leads to */
  constructor(clock: Clock, turn: (run: () => void) => void) {
    this.#clock = clock;
    this.#turn = turn;
  }

  /** Waits for the answer. Returns how the question is withdrawn. */
  add(inquiry: Inquiry): () => void {
    const { id, deadline, to } = inquiry;
    const run = (): void => {
      this.#turn(() => this.#settle(id, inquiry, { kind: 'error', error: unanswered(to) }));
    };
    const timer = this.#clock.setTimeout(run, Math.max(0, deadline - this.#clock.now()));
    this.#waiting.set(id, { inquiry, timer });
    return () => {
      this.#remove(id);
    };
  }

  /** Hands in a response. False when nobody waits for it (any more). */
  take({ re = '', from, body }: Envelope): boolean {
    const inquiry = this.#waiting.get(re)?.inquiry;
    if (inquiry?.to !== from) return false;
    const answer = decodeResponse(body);
    if (answer.kind !== 'provisional') this.#settle(re, inquiry, answer);
    return true;
  }

  /** Forgets all of them: who asked is not in memory any more. */
  clear(): void {
    for (const id of [...this.#waiting.keys()]) this.#remove(id);
  }

  #settle(id: string, { settle }: Inquiry, outcome: Parameters<Inquiry['settle']>[0]): void {
    if (this.#remove(id)) settle(outcome);
  }

  #remove(id: string): boolean {
    const waiting = this.#waiting.get(id);
    if (!waiting) return false;
    this.#clock.clearTimeout(waiting.timer);
    return this.#waiting.delete(id);
  }
}

const unanswered = (to: string): FabricError =>
  new FabricError('timeout', `${to} did not answer in time; ask again or allow more time.`, {
    details: { to },
  });
