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

/** The table of error codes: meaning, retryable, HTTP status, Matrix errcode, WebSocket close code. */
export const errorTable = {
  invalid: {
    status: 400,
    errcode: 'M_BAD_JSON',
    closeCode: 1007,
    retryable: false,
    meaning: 'The message or address is malformed.',
  },
  schema: {
    status: 422,
    errcode: 'M_INVALID_PARAM',
    closeCode: 4422,
    retryable: false,
    meaning: 'The body does not match the schema of its receiver.',
  },
  unauthenticated: {
    status: 401,
    errcode: 'M_UNKNOWN_TOKEN',
    closeCode: 4401,
    retryable: false,
    meaning: 'The account, token or key was not accepted.',
  },
  forbidden: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    closeCode: 4403,
    retryable: false,
    meaning: 'The sender may not do this.',
  },
  'not-found': {
    status: 404,
    errcode: 'M_NOT_FOUND',
    closeCode: 4404,
    retryable: false,
    meaning: 'Nothing lives at this address.',
  },
  conflict: {
    status: 409,
    errcode: 'M_CONFLICT',
    closeCode: 4409,
    retryable: false,
    meaning: 'The name is taken, or the state of the receiver does not allow this.',
  },
  'no-route': {
    status: 502,
    errcode: 'M_UNREACHABLE',
    closeCode: 4502,
    retryable: false,
    meaning: 'No protostub reaches this domain.',
  },
  offline: {
    status: 503,
    errcode: 'M_UNAVAILABLE',
    closeCode: 4503,
    retryable: true,
    meaning: 'The peer took nothing before the deadline.',
  },
  timeout: {
    status: 504,
    errcode: 'M_TIMEOUT',
    closeCode: 4504,
    retryable: true,
    meaning: 'The peer took the message and did not answer before the deadline.',
  },
  cancelled: {
    status: 499,
    errcode: 'M_CANCELLED',
    closeCode: 4499,
    retryable: false,
    meaning: 'The caller withdrew the request.',
  },
  'mailbox-full': {
    status: 429,
    errcode: 'M_RESOURCE_LIMIT_EXCEEDED',
    closeCode: 4429,
    retryable: true,
    meaning: 'The receiver has too much waiting.',
  },
  'rate-limited': {
    status: 429,
    errcode: 'M_LIMIT_EXCEEDED',
    closeCode: 4430,
    retryable: true,
    meaning: 'The message node asks to slow down.',
  },
  'too-large': {
    status: 413,
    errcode: 'M_TOO_LARGE',
    closeCode: 1009,
    retryable: false,
    meaning: 'The message exceeds the size limit.',
  },
  unsupported: {
    status: 501,
    errcode: 'M_UNRECOGNIZED',
    closeCode: 4501,
    retryable: false,
    meaning: 'This type, version or capability is not supported.',
  },
  crashed: {
    status: 500,
    errcode: 'M_UNKNOWN',
    closeCode: 4500,
    retryable: false,
    meaning: 'The receiver failed while it handled the message.',
  },
  storage: {
    status: 507,
    errcode: 'M_UNKNOWN',
    closeCode: 4507,
    retryable: true,
    meaning: 'The store cannot keep this now: full, read-only, or not reachable.',
  },
  internal: {
    status: 500,
    errcode: 'M_UNKNOWN',
    closeCode: 1011,
    retryable: false,
    meaning: 'The fabric itself failed.',
  },
  closed: {
    status: 503,
    errcode: 'M_UNAVAILABLE',
    closeCode: 1001,
    retryable: true,
    meaning: 'The runtime or hyperty has been stopped.',
  },
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
    return new FabricError(code, textOf(caught), { cause: caught });
  }
}

/** Anything can be thrown, also what has no text. */
function textOf(caught: unknown): string {
  try {
    return caught instanceof Error ? caught.message : String(caught);
  } catch {
    return `Something of type ${typeof caught} was thrown.`;
  }
}

const MAX_MESSAGE_CHARS = 2000;

/** Reads an error that came from outside; what does not fit becomes `internal` and is shortened. */
export function decodeError(value: unknown): FabricError {
  if (typeof value !== 'object' || value === null) {
    return new FabricError('internal', 'The peer answered with a failure that names no reason.');
  }
  const { code, message, details } = value as Record<string, unknown>;
  const text =
    typeof message === 'string' ? printable(message.slice(0, MAX_MESSAGE_CHARS)) : 'No message was given.';
  const known = isErrorCode(code) ? code : 'internal';
  return new FabricError(known, text, isRecord(details) ? { details } : {});
}

/** A peer's text must not command the terminal that shows it. */
const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (control) => (control === '\n' ? control : ' '));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
