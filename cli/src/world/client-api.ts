/**
 * The few requests to a homeserver that making a world takes.
 */
import { FabricError, type ErrorCode } from '@hyperty/runtime';

/** One request. */
export interface MatrixRequest {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** 15 s by default. */
  readonly timeoutMs?: number;
}

/**
 * Sends one request and returns the JSON object of a 2xx answer.
 * @throws FabricError `unauthenticated`, `forbidden`, `not-found`, `conflict`, `rate-limited` by the server's answer,
 * `offline` when it cannot be reached, `timeout`, `cancelled`
 */
export async function requestMatrix(
  baseUrl: string,
  request: MatrixRequest,
): Promise<Record<string, unknown>> {
  const { method = 'GET', path, token, body, signal, timeoutMs = 15_000 } = request;
  const deadline = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(new URL(path, baseUrl), {
      method,
      redirect: 'error', // a password or token belongs to the server that it was given for
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    answer = await response.json().catch(() => ({}));
  } catch (cause) {
    if (signal?.aborted === true) throw new FabricError('cancelled', 'Interrupted.', { cause });
    const code = deadline.aborted ? 'timeout' : 'offline';
    throw new FabricError(code, `${baseUrl} did not answer ${method} ${path}.`, { cause });
  }
  const fields = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>;
  if (response.ok) return fields;
  const { errcode, error } = fields;
  throw new FabricError(
    errorCode(response.status, errcode),
    `${baseUrl} refused ${method} ${path}: ${[response.status, errcode, error].filter(isPrintable).join(' ')}`,
    { details: { status: response.status, errcode } },
  );
}

function isPrintable(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function errorCode(status: number, errcode: unknown): ErrorCode {
  if (errcode === 'M_USER_IN_USE') return 'conflict';
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 429) return 'rate-limited';
  return status >= 500 ? 'offline' : 'invalid';
}
