/**
 * Requests under way: each ends in exactly one outcome (value, error of the peer, deadline, cancellation, or that it
 * could not be sent). Subscriptions are requests whose answer is followed by updates.
 */
import type { Address } from '../message/address.ts';
import { decodeResponse, type Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Clock, Timer } from '../platform/clock.ts';

/** What a caller may say about a request. */
export interface RequestOptions {
  /** How long to wait for the outcome. Default 30 s. */
  readonly timeoutMs?: number;
  /** Aborting ends the request with `cancelled`; a late answer is dropped. */
  readonly signal?: AbortSignal;
  /** Called with each provisional answer (1xx) before the outcome. */
  readonly onProvisional?: (value: unknown) => void;
  /** Called with each `update` or `event` that refers to this request, until {@link Requests.endStream}. */
  readonly onUpdate?: (envelope: Envelope) => void;
}

/** How long a request waits when nothing else is said. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Gives up on a request; undefined means that the peer took it. */
export type Expire = (request: Envelope) => FabricError | undefined;

interface Pending {
  readonly request: Envelope;
  readonly options: RequestOptions;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: FabricError) => void;
  readonly timer: Timer;
  readonly abort: () => void;
}

interface Stream {
  readonly peer: Address;
  readonly onUpdate: (envelope: Envelope) => void;
}

/** The table of requests under way. */
export class Requests {
  readonly #clock: Clock;
  readonly #expire: Expire;
  readonly #pending = new Map<string, Pending>();
  readonly #streams = new Map<string, Stream>();

  /** @param expire is asked at a deadline, or when a caller withdraws, for the reason: undefined means `timeout` */
  constructor(clock: Clock, expire: Expire) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** Number of requests that wait for their outcome. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Starts waiting for the outcome of a request that is about to be sent. */
  open(request: Envelope, options: RequestOptions): Promise<unknown> {
    const { signal, onUpdate } = options;
    if (signal?.aborted) return Promise.reject(cancelled(request));
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#expire(request);
        this.fail(request.id, cancelled(request));
      };
      const timer = this.#clock.setTimeout(() => {
        this.fail(request.id, this.#expire(request) ?? timedOut(request));
      }, this.#remaining(request));
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(request.id, { request, options, resolve, reject, timer, abort });
      if (onUpdate) this.#streams.set(request.id, { peer: request.to, onUpdate });
    });
  }

  /** Hands in a response, update or event that refers to a request. False when nobody waits for it (any more). */
  settle(envelope: Envelope): boolean {
    const id = envelope.re ?? '';
    if (envelope.type !== 'response') {
      const stream = isFollowUp(envelope) ? this.#streams.get(id) : undefined;
      if (stream?.peer !== envelope.from) return false;
      stream.onUpdate(envelope);
      return true;
    }
    const waiting = this.#pending.get(id);
    if (waiting?.request.to !== envelope.from) return false;
    const outcome = decodeResponse(envelope.body);
    if (outcome.kind === 'error') this.fail(id, outcome.error);
    else if (outcome.kind === 'value') this.#close(id)?.resolve(outcome.value);
    else waiting.options.onProvisional?.(outcome.value);
    return true;
  }

  /** Ends a request without a value. False when nobody waits for it. */
  fail(id: string, error: FabricError): boolean {
    const waiting = this.#close(id);
    if (!waiting) return false;
    this.#streams.delete(id);
    waiting.reject(error);
    return true;
  }

  /** Stops listening to the updates of a subscription. */
  endStream(id: string): void {
    this.#streams.delete(id);
  }

  /** Ends everything with `error`. */
  failAll(error: FabricError): void {
    for (const id of [...this.#pending.keys()]) this.fail(id, error);
    this.#streams.clear();
  }

  #close(id: string): Pending | undefined {
    const waiting = this.#pending.get(id);
    if (!waiting) return undefined;
    this.#pending.delete(id);
    this.#clock.clearTimeout(waiting.timer);
    waiting.options.signal?.removeEventListener('abort', waiting.abort);
    return waiting;
  }

  #remaining({ deadline }: Envelope): number {
    return deadline === undefined ? DEFAULT_TIMEOUT_MS : Math.max(0, deadline - this.#clock.now());
  }
}

/** True for what follows the answer of a subscription; anything else that names one is a message of its own. */
export const isFollowUp = ({ type, re }: Envelope): boolean =>
  re !== undefined && (type === 'update' || type === 'event');

const cancelled = ({ to }: Envelope): FabricError =>
  new FabricError('cancelled', `The request to ${to} was withdrawn by its caller.`, { details: { to } });

const timedOut = ({ to, type }: Envelope): FabricError =>
  new FabricError(
    'timeout',
    `${to} took the ${type} and did not answer in time; ask again or allow more time.`,
    {
      details: { to, type },
    },
  );
