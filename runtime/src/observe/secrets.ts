/**
 * Keeps secrets out of what people read. Texts: tokens are masked wherever they stand. Data: fields whose name says
 * that they hold a secret are masked at any depth, and all texts are treated as texts. The result is plain JSON data,
 * bounded in depth and size, so that whatever is logged, a log line stays a line.
 */
import { FabricError } from '../message/error.ts';

/** What stands in a secret's place. */
const MASK = '[redacted]';

/** Characters of one text that are kept. */
const MAX_TEXT_CHARS = 8000;
const MAX_DEPTH = 8;
/** Fields and items of one log line. */
const MAX_ITEMS = 1000;

/** Names of fields that hold secrets, without case, hyphens and underscores. */
const SECRET_NAME =
  /token|passw|passphrase|secret|authorization|cookie|credential|macaroon|(?<!public)keys?$/;

const NAMES = '(?:[\\w-]{0,40}(?:token|password|passwd|secret|api_?key)|sig|auth|macaroon)';

/** What a secret looks like in a text, and what is left of it. Repeats are bounded: strangers write such texts too. */
const SECRETS_IN_TEXT: readonly (readonly [RegExp, string])[] = [
  // Tokens of Synapse (access, refresh, log-in) and of the Matrix Authentication Service
  [/\b(sy[trl]|m[cap][tr])_[\w~+/.=-]+/g, `$1_${MASK}`],
  [/\bBearer(?:\s+|%20)(?!tokens?\b)[\w~+/.=-]+/gi, `Bearer ${MASK}`],
  [/\bBasic(?:\s+|%20)[\w+/=-]{8,}/gi, `Basic ${MASK}`],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/?#@]{0,100}:)[^\s/?#@]{1,500}@/gi, `$1${MASK}@`],
  [new RegExp(`\\b(${NAMES})(=|%3D)("?)[^&\\s"'\\\\#,;)]+`, 'gi'), `$1$2$3${MASK}`],
  // Objects inside a text: JSON, also with its quotes escaped, or as Node.js prints them
  [new RegExp(`(\\b${NAMES}\\\\?["']?\\s{0,5}:\\s{0,5}\\\\?["'])[^"'\\\\]+`, 'gi'), `$1${MASK}`],
];

/** A text without its secrets: Matrix tokens, `Bearer …`, `access_token=…`, passwords in URLs; at most 8,000 characters. */
export function maskSecrets(text: string): string {
  // What is cut off is twice as far away as what is kept, so that no secret is cut in half and then not known as one.
  const masked = SECRETS_IN_TEXT.reduce(
    (done, [secret, rest]) => done.replace(secret, rest),
    text.slice(0, 2 * MAX_TEXT_CHARS),
  );
  return masked.length > MAX_TEXT_CHARS ? `${masked.slice(0, MAX_TEXT_CHARS)}…` : masked;
}

/** True when a field of this name holds a secret: `accessToken`, `access_token`, `Authorization`, `signingKey`, … */
export const isSecretName = (name: string): boolean =>
  SECRET_NAME.test(name.toLowerCase().replaceAll(/[-_\s]/g, ''));

/** Plain JSON data without secrets, from anything at all. Never throws. */
export function redact(value: unknown): unknown {
  return new Redaction().copy(value, 0);
}

/** One copy under way: what it may still take. */
class Redaction {
  #itemsLeft = MAX_ITEMS;

  copy(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return maskSecrets(value);
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= MAX_DEPTH) return '[too deep]';
    try {
      return this.#copyObject(value, depth);
    } catch {
      return '[unreadable]'; // a getter or proxy threw
    }
  }

  #copyObject(value: object, depth: number): unknown {
    if (value instanceof Error) return this.#copyError(value, depth);
    if (value instanceof Date) return value.toJSON();
    if (value instanceof URL || value instanceof URLSearchParams) return maskSecrets(value.toString());
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value) || value instanceof Set)
      return this.#take([...(value as Iterable<unknown>)]).map((item) => this.copy(item, depth + 1));
    if (value instanceof Map || value instanceof Headers)
      return this.#copyFields(
        [...value].map(([name, field]) => [String(name), field] as const),
        depth,
      );
    return this.#copyFields(Object.entries(value), depth);
  }

  /** The kind of error, what it says, and why; of a failure that is no FabricError, also where it was. */
  #copyError(error: Error, depth: number): unknown {
    const { name, message, stack, cause } = error;
    const own = Object.entries(error).filter(([field]) => field !== 'name' && field !== 'cause');
    const where = error instanceof FabricError ? undefined : stack?.split('\n    at ').slice(1, 9);
    const why = error instanceof AggregateError ? error.errors : cause;
    return {
      name,
      message: maskSecrets(message),
      ...this.#copyFields(own, depth),
      ...(where === undefined ? {} : { at: where.map(maskSecrets) }),
      ...(why === undefined ? {} : { cause: this.copy(why, depth + 1) }),
    };
  }

  #copyFields(fields: readonly (readonly [string, unknown])[], depth: number): Record<string, unknown> {
    return Object.fromEntries(
      this.#take(fields).map(([name, value]) => [
        maskSecrets(name),
        isSecretName(name) && hidesSomething(value) ? MASK : this.copy(value, depth + 1),
      ]),
    );
  }

  #take<T>(items: readonly T[]): readonly T[] {
    const taken = items.slice(0, Math.max(0, this.#itemsLeft));
    this.#itemsLeft -= taken.length;
    return taken;
  }
}

/** That there is no token, or whether there is one, is no secret. */
const hidesSomething = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && typeof value !== 'boolean';
