/**
 * The sync loop of a runtime's device: a long poll that asks for to-device messages and nothing else. A message is
 * handed on before the position behind it is given back to the homeserver, so a crash in between loses none.
 */
import { delay, FabricError, type Clock } from '@hyperty/runtime';
import { Method, type MatrixClient } from 'matrix-js-sdk';
import * as z from 'zod';
import { fromMatrix } from './error.ts';

/** A to-device message; the homeserver vouches for the sender. */
export interface ToDeviceMessage {
  readonly type: string;
  readonly sender: string;
  readonly content: unknown;
}

/** What the loop needs. */
export interface ToDeviceSyncDeps {
  readonly client: MatrixClient;
  readonly clock: Clock;
  /** Random number in [0, 1), for jitter. */
  readonly random: () => number;
  readonly onMessage: (message: ToDeviceMessage) => void;
  /** A poll succeeded. */
  readonly onLive: () => void;
  /** A poll failed; the loop goes on by itself, unless the error is `unauthenticated`. */
  readonly onFailure: (error: FabricError) => void;
}

/** How long the homeserver may hold a poll that has nothing to tell. */
export const POLL_MS = 25_000;
const RETRY_MS = { first: 250, longest: 10_000 };
const EMPTY_POLL_PAUSE_MS = 200;

/** Leaves out rooms, presence and account data; to-device messages always come. */
const FILTER = JSON.stringify({
  presence: { not_types: ['*'] },
  account_data: { not_types: ['*'] },
  room: { rooms: [] },
});

const messageSchema = z.object({ type: z.string(), sender: z.string(), content: z.unknown() });
const answerSchema = z.object({
  next_batch: z.string(),
  to_device: z.object({ events: z.array(z.unknown()) }).optional(),
});

/** The loop of one client. */
export class ToDeviceSync {
  readonly #deps: ToDeviceSyncDeps;
  #since: string | undefined;
  #running: AbortController | undefined;
  /** Polls in a row that came back at once and brought nothing. */
  #emptyAtOnce = 0;

  constructor(deps: ToDeviceSyncDeps) {
    this.#deps = deps;
  }

  /** Starts polling; again, with a new access token, after `unauthenticated`. Does nothing while it polls. */
  start(): void {
    if (this.#running && !this.#running.signal.aborted) return;
    const mine = new AbortController();
    this.#running = mine;
    void this.#loop(mine.signal).finally(() => {
      mine.abort();
    });
  }

  stop(): void {
    this.#running?.abort();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock, random, onFailure } = this.#deps;
    const stopped = (): boolean => signal.aborted;
    let retryMs = RETRY_MS.first;
    let timeoutMs = 0;
    while (!stopped()) {
      try {
        await this.#poll(timeoutMs, signal);
        [timeoutMs, retryMs] = [POLL_MS, RETRY_MS.first];
      } catch (caught) {
        if (stopped()) return;
        const error = fromMatrix(caught, 'Receiving');
        onFailure(error);
        if (error.code === 'unauthenticated') return;
        await delay(clock, waitAfter(error, retryMs * (0.5 + random())), signal).catch(() => undefined); // stopped: the loop ends
        [timeoutMs, retryMs] = [0, Math.min(RETRY_MS.longest, retryMs * 2)];
      }
    }
  }

  async #poll(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { client, clock, onLive, onMessage } = this.#deps;
    const since = this.#since;
    const query = {
      filter: FILTER,
      timeout: timeoutMs,
      set_presence: 'offline',
      ...(since === undefined ? {} : { since }),
    };
    const startedAt = clock.now();
    const answer: unknown = await client.http.authedRequest(Method.Get, '/sync', query, undefined, {
      abortSignal: signal,
      priority: 'high',
    });
    const { next_batch: next, to_device: toDevice } = readAnswer(answer);
    if (signal.aborted) return;
    onLive();
    for (const event of toDevice?.events ?? []) {
      const message = messageSchema.safeParse(event);
      if (message.success) onMessage(message.data);
    }
    this.#since = next;
    // Once in a while a homeserver wakes up for nothing; one that does not wait at all must not be polled without end.
    const isEmpty = (toDevice?.events.length ?? 0) === 0;
    const cameAtOnce = timeoutMs > 0 && clock.now() - startedAt < EMPTY_POLL_PAUSE_MS;
    this.#emptyAtOnce = isEmpty && cameAtOnce ? this.#emptyAtOnce + 1 : 0;
    if (this.#emptyAtOnce > 1) await delay(clock, EMPTY_POLL_PAUSE_MS, signal);
  }
}

/** @throws FabricError `unsupported` when this is no answer of a Matrix homeserver */
function readAnswer(answer: unknown): z.infer<typeof answerSchema> {
  const result = answerSchema.safeParse(answer);
  if (result.success) return result.data;
  throw new FabricError(
    'unsupported',
    'The answer to /sync is not what a Matrix homeserver says; a proxy in between?',
  );
}

const waitAfter = (error: FabricError, otherwiseMs: number): number => {
  const { retryAfterMs } = error.details;
  return typeof retryAfterMs === 'number' ? Math.max(retryAfterMs, otherwiseMs) : otherwiseMs;
};
