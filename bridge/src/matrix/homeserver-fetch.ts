/** How a homeserver is fetched from: every request ends in time, goes nowhere else, and says why it failed. */
import { POLL_MS } from './to-device-sync.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const POLL_TIMEOUT_MS = POLL_MS + 10_000;

/**
 * Ends a request that outlives its time: a connection can die without a word. Follows no redirect: a password or token
 * belongs to the server that it was given for.
 */
export function homeserverFetch(fetch: typeof globalThis.fetch = globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : input.toString();
    const limit = AbortSignal.timeout(url.includes('/sync?') ? POLL_TIMEOUT_MS : REQUEST_TIMEOUT_MS);
    const signal = init?.signal ? AbortSignal.any([init.signal, limit]) : limit;
    try {
      return await fetch(input, { ...init, signal, redirect: 'error' });
    } catch (caught) {
      throw withReason(caught);
    }
  };
}

/** `fetch` hides why it failed in a cause, and the Matrix SDK keeps the message alone. */
function withReason(caught: unknown): unknown {
  if (!(caught instanceof TypeError && caught.cause instanceof Error)) return caught;
  const { message, code } = caught.cause as Error & { readonly code?: string };
  return new TypeError(message || code || caught.message, { cause: caught });
}
