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

interface Pending {
  readonly request: Envelope;
  readonly options: RequestOptions;
  readonly finish: (error: FabricError | undefined, value?: unknown) => void;
}

/** The table of requests under way. */
export interface Requests {
  /** Number of requests that wait for their outcome. */
  readonly pending: number;
  /** Starts waiting. `expire` is asked at the deadline for the reason: undefined means `timeout`. */
  open(
    request: Envelope,
    options: RequestOptions,
    expire: (request: Envelope) => FabricError | undefined,
  ): Promise<unknown>;
  /** Hands in a response, update or event that refers to a request. False when nobody waits for it (any more). */
  settle(envelope: Envelope): boolean;
  /** Ends a request that could not be delivered. False when nobody waits for it. */
  fail(id: string, error: FabricError): boolean;
  /** Stops listening to the updates of a subscription. */
  endStream(id: string): void;
  /** Ends everything with `error`. */
  failAll(error: FabricError): void;
}

/** Creates an empty table. */
export function createRequests(clock: Clock): Requests {
  const pending = new Map<string, Pending>();
  const streams = new Map<string, { peer: Address; onUpdate: (envelope: Envelope) => void }>();

  const open: Requests['open'] = (request, options, expire) =>
    new Promise((resolve, reject) => {
      const { signal, onUpdate } = options;
      const { id, to } = request;
      if (signal?.aborted) { reject(cancelled(request)); return; } // prettier-ignore
      const finish: Pending['finish'] = (error, value) => {
        pending.delete(id);
        clock.clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        if (!error) { resolve(value); return; } // prettier-ignore
        streams.delete(id);
        reject(error);
      };
      const abort = (): void => { expire(request); finish(cancelled(request)); }; // prettier-ignore
      const timeoutMs = Math.max(0, (request.deadline ?? clock.now() + DEFAULT_TIMEOUT_MS) - clock.now());
      const timer: Timer = clock.setTimeout(() => { finish(expire(request) ?? timedOut(request)); }, timeoutMs); // prettier-ignore
      signal?.addEventListener('abort', abort, { once: true });
      pending.set(id, { request, options, finish });
      if (onUpdate) streams.set(id, { peer: to, onUpdate });
    });

  return {
    get pending() {
      return pending.size;
    },
    open,
    settle(envelope) {
      const id = envelope.re ?? '';
      if (envelope.type !== 'response') {
        const stream = streams.get(id);
        if (stream?.peer !== envelope.from) return false;
        stream.onUpdate(envelope);
        return true;
      }
      const waiting = pending.get(id);
      if (waiting?.request.to !== envelope.from) return false;
      const outcome = decodeResponse(envelope.body);
      if (outcome.kind === 'error') waiting.finish(outcome.error);
      else if (outcome.kind === 'value') waiting.finish(undefined, outcome.value);
      else waiting.options.onProvisional?.(outcome.value);
      return true;
    },
    fail(id, error) {
      const waiting = pending.get(id);
      waiting?.finish(error);
      return waiting !== undefined;
    },
    endStream: (id) => {
      streams.delete(id);
    },
    failAll(error) {
      for (const waiting of [...pending.values()]) waiting.finish(error);
      streams.clear();
    },
  };
}

const cancelled = ({ to }: Envelope): FabricError =>
  new FabricError('cancelled', `The request to ${to} was withdrawn by its caller.`, { details: { to } });

const timedOut = ({ to, type }: Envelope): FabricError =>
  new FabricError('timeout', `${to} took the ${type} and did not answer in time; ask again or allow more time.`, {
    details: { to, type },
  });
