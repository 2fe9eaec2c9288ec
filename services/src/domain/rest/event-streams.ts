/** Followers over REST: Server-Sent Events (HTML Standard §9.2) at the path of an operation, a bounded number for each caller. */
import type { ServerResponse } from 'node:http';
import { FabricError } from '@hyperty/runtime';
import { dataHeaders } from './headers.ts';

/** Bounds of what is followed. */
export interface StreamLimits {
  /** Streams of one caller, or of one address that has proven nothing. Default 16. */
  readonly perCaller?: number;
  /** All streams. Default 1000. */
  readonly total?: number;
  /** How often a silent stream says that it lives. Default 25 s. */
  readonly keepAliveMs?: number;
}

/** One stream that is open. */
export interface EventStream {
  /** Sends one event; ends a stream whose reader does not keep up. */
  send(event: 'output' | 'update', value: unknown): void;
}

/** What a follower may be behind. */
const MAX_WAITING_BYTES = 1024 * 1024;
const HEADERS = [
  ...dataHeaders,
  'Content-Type',
  'text/event-stream; charset=utf-8',
  'Cache-Control',
  'no-store',
];

/** All streams of a server. */
export class EventStreams {
  readonly #limits: Required<StreamLimits>;
  readonly #open = new Set<ServerResponse>();
  readonly #perCaller = new Map<string, number>();
  #keepAlive: NodeJS.Timeout | undefined;

  constructor({ perCaller = 16, total = 1000, keepAliveMs = 25_000 }: StreamLimits = {}) {
    this.#limits = { perCaller, total, keepAliveMs };
  }

  /** Streams that are open. */
  get count(): number {
    return this.#open.size;
  }

  /** Takes a place for a caller; returns what gives it back. @throws FabricError `rate-limited` */
  reserve(caller: string): () => void {
    const { perCaller, total } = this.#limits;
    const held = this.#perCaller.get(caller) ?? 0;
    if (held >= perCaller || this.#open.size >= total) {
      const text = `There are ${held} streams open for this caller, of ${perCaller}; close one, or come later.`;
      throw new FabricError('rate-limited', text, { details: { retryAfterMs: 10_000 } });
    }
    this.#perCaller.set(caller, held + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.#perCaller.get(caller) ?? 1) - 1;
      if (left > 0) this.#perCaller.set(caller, left);
      else this.#perCaller.delete(caller);
    };
  }

  /** Begins a stream on a response. */
  begin(response: ServerResponse): EventStream {
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) clearInterval(this.#keepAlive);
    });
    if (this.#open.size === 1) {
      this.#keepAlive = setInterval(() => {
        for (const each of this.#open) write(each, ': alive\n\n');
      }, this.#limits.keepAliveMs);
      this.#keepAlive.unref();
    }
    response.writeHead(200, HEADERS);
    return {
      send: (event, value) => {
        write(response, `event: ${event}\ndata: ${JSON.stringify(value ?? null)}\n\n`);
      },
    };
  }

  /** Ends all streams; their readers come again, perhaps to another process. */
  end(): void {
    for (const response of this.#open) response.end();
  }
}

function write(response: ServerResponse, text: string): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.writableLength > MAX_WAITING_BYTES) response.destroy();
  else response.write(text);
}
