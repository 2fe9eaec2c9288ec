/**
 * What can go wrong in the fabric: one class, one closed table of codes. Every rim (bus, link, protostub, command line)
 * turns what it catches into a {@link FabricError} once, with `cause`; no error is ever recognised by its text.
 */

/** How one error code looks on each carrier, and whether trying again can help. */
export interface ErrorKind {
  /** One sentence: what happened. */
  readonly meaning: string;
  /** True when the same message may succeed later without being changed. */
  readonly retryable: boolean;
  /** HTTP status (RFC 9110), also the `code` of a response body. */
  readonly status: number;
  /** Matrix error code (Client-Server API, "Standard error response"). */
  readonly errcode: string;
  /** WebSocket close code (RFC 6455 §7.4; 4000–4999 are ours). */
  readonly closeCode: number;
}

const kind = (
  status: number,
  errcode: string,
  closeCode: number,
  retryable: boolean,
  meaning: string,
): ErrorKind => ({ meaning, retryable, status, errcode, closeCode });

/** The table of error codes: meaning, retryable, HTTP status, Matrix errcode, WebSocket close code. */
export const errorTable = {
  invalid: kind(400, 'M_BAD_JSON', 1007, false, 'The message or address is malformed.'),
  schema: kind(422, 'M_INVALID_PARAM', 4422, false, 'The body does not match the schema of its receiver.'),
  unauthenticated: kind(401, 'M_UNKNOWN_TOKEN', 4401, false, 'The account, token or key was not accepted.'),
  forbidden: kind(403, 'M_FORBIDDEN', 4403, false, 'The sender may not do this.'),
  'not-found': kind(404, 'M_NOT_FOUND', 4404, false, 'Nothing lives at this address.'),
  conflict: kind(409, 'M_CONFLICT', 4409, false, 'The name or version is already taken.'),
  'no-route': kind(502, 'M_UNREACHABLE', 4502, false, 'No protostub reaches this domain.'),
  offline: kind(503, 'M_UNAVAILABLE', 4503, true, 'The peer took nothing before the deadline.'),
  timeout: kind(504, 'M_TIMEOUT', 4504, true, 'The peer took the message and did not answer before the deadline.'),
  cancelled: kind(499, 'M_CANCELLED', 4499, false, 'The caller withdrew the request.'),
  'mailbox-full': kind(429, 'M_RESOURCE_LIMIT_EXCEEDED', 4429, true, 'The receiver has too much waiting.'),
  'rate-limited': kind(429, 'M_LIMIT_EXCEEDED', 4430, true, 'The message node asks to slow down.'),
  'too-large': kind(413, 'M_TOO_LARGE', 1009, false, 'The message exceeds the size limit.'),
  unsupported: kind(501, 'M_UNRECOGNIZED', 4501, false, 'This type, version or capability is not supported.'),
  crashed: kind(500, 'M_UNKNOWN', 4500, false, 'The receiver failed while it handled the message.'),
  internal: kind(500, 'M_UNKNOWN', 1011, false, 'The fabric itself failed.'),
  closed: kind(503, 'M_UNAVAILABLE', 1001, true, 'The runtime or hyperty has been stopped.'),
} as const satisfies Record<string, ErrorKind>;

/** One of the codes of {@link errorTable}. */
export type ErrorCode = keyof typeof errorTable;

/** Plain data that helps to act on an error: address, field, limit, `retryAfterMs`. Never a secret. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** An error as it travels in a response body. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: ErrorDetails;
}

/** True when `value` is a code of {@link errorTable}. */
export const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(errorTable, value);

/**
 * What the world does to a message. The message text says what happened, to which address, and what to do.
 * A programmer's mistake is a `TypeError` instead.
 */
export class FabricError extends Error {
  override readonly name = 'FabricError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** True when the same message may succeed later without being changed. */
  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  /** The HTTP status of this error's code. */
  get status(): number {
    return errorTable[this.code].status;
  }

  /** The error as it travels: code, message, details; neither cause nor stack leave the runtime. */
  toJSON(): ErrorBody {
    return { code: this.code, message: this.message, details: this.details };
  }

  /** Turns anything caught into a FabricError: itself when it is one, else `code` with the thing as cause. */
  static from(caught: unknown, code: ErrorCode = 'internal'): FabricError {
    if (caught instanceof FabricError) return caught;
    const text = caught instanceof Error ? caught.message : String(caught);
    return new FabricError(code, text, { cause: caught });
  }
}

const MAX_MESSAGE_CHARS = 2000;

/** Reads an error that came from outside; what does not fit becomes `internal` and is shortened. */
export function decodeError(value: unknown): FabricError {
  if (typeof value !== 'object' || value === null) {
    return new FabricError('internal', 'The peer answered with a failure that names no reason.');
  }
  const { code, message, details } = value as Record<string, unknown>;
  const text = typeof message === 'string' ? message.slice(0, MAX_MESSAGE_CHARS) : 'No message was given.';
  const known = isErrorCode(code) ? code : 'internal';
  return new FabricError(known, text, isRecord(details) ? { details } : {});
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
