/** What Redis answers and what happens to connections, as errors of the fabric; none of them shows a credential. */
import { FabricError, type ErrorCode } from '@hyperty/runtime';
import { ErrorReply } from 'redis';
import { MALFORMED_LEASE } from './redis-scripts.ts';

const PROTOCOLS = ['redis:', 'rediss:'];

/**
 * The address in a URL, for messages: without user and password.
 * @throws TypeError when it is no URL of a Redis; the text does not repeat it, as it may hold a password
 */
export function addressOf(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed || !isUsable(parsed))
    throw new TypeError(
      'The URL of a Redis is redis://[user:password@]host[:port][/database] or rediss://…, percent-encoded.',
    );
  return `${parsed.protocol}//${parsed.host}${parsed.pathname === '/' ? '' : parsed.pathname}`;
}

function isUsable({ protocol, hostname, pathname, username, password }: URL): boolean {
  if (!PROTOCOLS.includes(protocol) || hostname === '' || !/^(\/\d*)?$/.test(pathname)) return false;
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

interface Refusal {
  readonly code: ErrorCode;
  readonly text: string;
}

const storage = (text: string): Refusal => ({ code: 'storage', text });

/** Redis's error codes: the first word of an error reply. */
const refusals: Readonly<Record<string, Refusal>> = {
  OOM: storage('has no memory left: raise its maxmemory or remove data'),
  READONLY: storage('is a replica, which takes no changes: connect to the primary'),
  MISCONF: storage('cannot save to its disk and takes no changes: look at its log and its disk'),
  LOADING: storage('is still loading its data: wait'),
  BUSY: storage('is busy with a long script: wait, or end it with SCRIPT KILL'),
  NOREPLICAS: storage('has too few replicas to take changes: start them'),
  MASTERDOWN: storage('is a replica that has lost its primary: connect to the primary'),
  CLUSTERDOWN: storage('belongs to a cluster that is down: repair the cluster'),
  WRONGTYPE: storage('has other data under the keys of this namespace: choose another namespace'),
  NOAUTH: { code: 'unauthenticated', text: 'asks for a password: put it into the URL' },
  WRONGPASS: { code: 'unauthenticated', text: 'does not accept the user or password: correct the URL' },
  NOPERM: {
    code: 'forbidden',
    text: "does not allow this user what the store needs: correct the user's ACL",
  },
};

/** The code of an error reply, wherever in the text of a script's failure Redis has put it. */
export function replyCodeOf(error: ErrorReply): string {
  const words = error.message.split(/[\s:-]+/);
  return words.find((word) => Object.hasOwn(refusals, word) || word === 'NOSCRIPT') ?? words[0] ?? '';
}

/** True when Redis itself has answered with an error; otherwise the connection failed. */
export const isReply = (error: unknown): error is ErrorReply => error instanceof ErrorReply;

const malformedName = new RegExp(`${MALFORMED_LEASE} (\\S+)`);

/** What calls hear that meet a record of a lease that cannot be read. */
export const malformedLease = (name: string, address: string, cause?: unknown): FabricError =>
  new FabricError(
    'internal',
    `The record of the lease "${name}" in Redis at ${address} is malformed: another program has changed it, or the data are damaged. Put a backup in its place.`,
    { details: { address, lease: name, damaged: true }, cause },
  );

/** What Redis's refusal means. */
export function refusalOf(error: ErrorReply, address: string): FabricError {
  const lease = malformedName.exec(error.message)?.[1];
  if (lease !== undefined) return malformedLease(lease, address, error);
  const code = replyCodeOf(error);
  const refusal = refusals[code] ?? storage(`answered with an error: ${error.message}`);
  return new FabricError(refusal.code, `Redis at ${address} ${refusal.text}.`, {
    cause: error,
    details: { address, reply: code },
  });
}

/** What is known of a request that got no answer in time. */
export interface Unanswered {
  readonly address: string;
  readonly timeoutMs: number;
  /** Why there is no connection, if there is none. */
  readonly error: unknown;
  /** True for a change that may have reached Redis. */
  readonly isUnknown: boolean;
}

/** No answer in time. `details.outcome` is `unknown` for a change that may have happened, otherwise `none`. */
export function unanswered({ address, timeoutMs, error, isUnknown }: Unanswered): FabricError {
  const why = isReply(error) ? refusalOf(error, address) : undefined;
  const text = why
    ? why.message
    : `Redis at ${address} gave no answer for ${timeoutMs} ms${reasonOf(error)}: see that it runs and can be reached.`;
  const outcome = isUnknown ? ' The change may have been made; read before you repeat it.' : '';
  return new FabricError(why?.code ?? 'storage', text + outcome, {
    ...(error === undefined ? {} : { cause: error }),
    details: { address, outcome: isUnknown ? 'unknown' : 'none' },
  });
}

function reasonOf(error: unknown): string {
  if (error === undefined) return '';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return ` (${typeof code === 'string' ? code : error instanceof Error ? error.message : 'no connection'})`;
}
