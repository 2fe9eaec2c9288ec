/**
 * One raw HTTP request and everything that came of it. A probe never throws for what the other side does: a refusal
 * is as much a result as an answer.
 */

/** What came back. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: Headers;
  /** The JSON object in the body; empty when there was none. */
  readonly json: Record<string, unknown>;
  readonly bytes: Uint8Array;
  readonly durationMs: number;
}

/** Why nothing came back. */
export interface NoAnswer {
  readonly kind: 'no-answer';
  /** E.g. `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `TIMEOUT`. */
  readonly reason: string;
  readonly message: string;
}

/** One request. */
export interface ProbeRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly token?: string | undefined;
  /** A JSON body, or bytes that are sent as they are. */
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

/** Sends requests to one server. */
export type Probe = (request: ProbeRequest) => Promise<Answer | NoAnswer>;

/** A probe for the server at `baseUrl`; `signal` ends whatever is under way. */
export function createProbe(
  baseUrl: string,
  deps: { fetch: typeof fetch; signal?: AbortSignal | undefined },
): Probe {
  return async ({ method = 'GET', path, token, body, timeoutMs = 15_000 }) => {
    deps.signal?.throwIfAborted();
    const deadline = AbortSignal.timeout(timeoutMs);
    const began = performance.now();
    try {
      const response = await deps.fetch(new URL(path, `${baseUrl.replace(/\/+$/, '')}/`), {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined
            ? {}
            : {
                'content-type': body instanceof Uint8Array ? 'application/octet-stream' : 'application/json',
              }),
        },
        ...(body === undefined
          ? {}
          : { body: body instanceof Uint8Array ? body.slice() : JSON.stringify(body) }),
        signal: deps.signal === undefined ? deadline : AbortSignal.any([deps.signal, deadline]),
      });
      const bytes = await response.bytes();
      const durationMs = performance.now() - began;
      const { status, headers } = response;
      return { kind: 'answer', status, headers, bytes, json: parseObject(bytes), durationMs };
    } catch (error) {
      deps.signal?.throwIfAborted();
      return deadline.aborted
        ? { kind: 'no-answer', reason: 'TIMEOUT', message: `no answer within ${String(timeoutMs / 1000)} s` }
        : noAnswer(error);
    }
  };
}

/** One line that says how a request failed, for a finding. */
export function describeFailure(result: Answer | NoAnswer): string {
  if (result.kind === 'no-answer') return result.message;
  const { errcode, error } = result.json;
  const parts = [String(result.status), errcode, error].filter((part) => typeof part === 'string');
  return parts.join(' ');
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

function noAnswer(error: unknown): NoAnswer {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code, message } = cause as NodeJS.ErrnoException;
  return {
    kind: 'no-answer',
    reason: code ?? 'UNKNOWN',
    message: message === '' ? (code ?? 'no answer') : message,
  };
}
