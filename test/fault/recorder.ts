/** The world outside: takes notes over HTTP, each idempotency key once, as a bank would. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** What has been recorded. */
export interface Recorder {
  readonly url: string;
  /** Different keys by which `name` recorded something. */
  keysOf(name: string): number;
  /** Requests whose key was known already. */
  readonly repeats: number;
  close(): Promise<void>;
}

/** Between carrying something out and saying so; crashes fall in here too. */
const ANSWER_AFTER_MS = 15;

/** Starts on a free port of 127.0.0.1. */
export async function startRecorder(): Promise<Recorder> {
  const keys = new Map<string, Set<string>>();
  let repeats = 0;
  const take = async (request: IncomingMessage): Promise<void> => {
    const name = await text(request);
    const key = String(request.headers['idempotency-key']);
    const known = keys.get(name) ?? new Set();
    keys.set(name, known);
    if (known.has(key)) repeats += 1;
    else known.add(key);
    await sleep(ANSWER_AFTER_MS);
  };
  const server = createServer((request, response) => {
    take(request).then(
      () => response.end(),
      () => response.destroy(), // who asked has died
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    keysOf: (name) => keys.get(name)?.size ?? 0,
    get repeats() {
      return repeats;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
