/** Turns what the Matrix SDK and `fetch` throw into fabric errors, once, at this rim. */
import { FabricError, type ErrorCode } from '@hyperty/runtime';
import { ConnectionError, HTTPError, MatrixError } from 'matrix-js-sdk';

const CODE_BY_ERRCODE: Readonly<Record<string, ErrorCode>> = {
  M_UNKNOWN_TOKEN: 'unauthenticated',
  M_MISSING_TOKEN: 'unauthenticated',
  M_USER_DEACTIVATED: 'unauthenticated',
  M_UNKNOWN_DEVICE: 'unauthenticated', // an application service's, which somebody has deleted
  M_FORBIDDEN: 'forbidden',
  M_LIMIT_EXCEEDED: 'rate-limited',
  M_TOO_LARGE: 'too-large',
  M_NOT_FOUND: 'not-found',
  M_UNRECOGNIZED: 'unsupported',
  M_BAD_JSON: 'invalid',
  M_NOT_JSON: 'invalid',
};

const ADVICE: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'The access token is wrong, expired or logged out; log in again.',
  forbidden: 'The homeserver refuses this account; ask its administrator.',
  'too-large': 'The homeserver takes nothing this large; ask its administrator about max_upload_size.',
};

/**
 * @param doing what was tried and where, as the start of a sentence: `Log-in at https://…`
 */
export function fromMatrix(caught: unknown, doing: string): FabricError {
  if (caught instanceof FabricError) return caught;
  if (caught instanceof MatrixError) return fromMatrixError(caught, doing);
  if (caught instanceof HTTPError) return fromStatus(caught, doing);
  if (caught instanceof ConnectionError || isNetworkFailure(caught)) {
    return new FabricError(
      'offline',
      `${doing}: the homeserver cannot be reached (${rootText(caught)}). Is it running, is the URL right?`,
      { cause: caught },
    );
  }
  if (caught instanceof SyntaxError) {
    return new FabricError(
      'unsupported',
      `${doing}: the answer is not what a Matrix homeserver says. Check the URL.`,
      {
        cause: caught,
      },
    );
  }
  return new FabricError('internal', `${doing}: ${rootText(caught)}.`, { cause: caught });
}

function fromMatrixError(error: MatrixError, doing: string): FabricError {
  const code = CODE_BY_ERRCODE[error.errcode ?? ''] ?? codeOfStatus(error.httpStatus);
  const retryAfterMs = code === 'rate-limited' ? retryAfter(error) : undefined;
  const said = error.data.error ?? 'no reason given';
  return new FabricError(
    code,
    `${doing}: ${said} (${error.errcode ?? 'no errcode'}). ${ADVICE[code] ?? ''}`.trimEnd(),
    {
      cause: error,
      details: { status: error.httpStatus, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    },
  );
}

/** A server may ask for patience, not for a flood, nor for silence until tomorrow. */
const SHORTEST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 300_000;

/** `retry_after_ms` (Client-Server API, "Rate limiting"), or the `Retry-After` header. */
function retryAfter(error: MatrixError): number {
  try {
    const asked = error.getRetryAfterMs() ?? 1000;
    return Math.min(LONGEST_RETRY_MS, Math.max(SHORTEST_RETRY_MS, asked));
  } catch {
    return 1000; // the server's own value is unreadable: any polite wait will do
  }
}

function fromStatus(error: HTTPError, doing: string): FabricError {
  const { httpStatus: status } = error;
  if (status === 404 || status === 405) {
    return new FabricError(
      'unsupported',
      `${doing}: this is no Matrix homeserver (HTTP ${status}). Check the URL.`,
      { cause: error },
    );
  }
  return new FabricError(
    codeOfStatus(status),
    `${doing}: HTTP ${status ?? 'failure'} without a Matrix error; a proxy in between?`,
    { cause: error, details: { status } },
  );
}

function codeOfStatus(status: number | undefined): ErrorCode {
  if (status === undefined || status >= 500) return 'offline';
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 413) return 'too-large';
  return status === 429 ? 'rate-limited' : 'invalid';
}

/** What `fetch` throws when there is no HTTP answer: TypeError (connection), AbortError or TimeoutError (time). */
function isNetworkFailure(caught: unknown): boolean {
  if (caught instanceof TypeError) return caught.cause !== undefined || caught.message.includes('fetch');
  return caught instanceof Error && (caught.name === 'AbortError' || caught.name === 'TimeoutError');
}

function rootText(caught: unknown): string {
  let error = caught;
  while (error instanceof Error && error.cause instanceof Error) error = error.cause;
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? ((error as { code?: string }).code ?? error.name) : error.message;
}
