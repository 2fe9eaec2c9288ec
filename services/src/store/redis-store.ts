/**
 * The store on Redis, which several processes share: values in a hash, their order in a sorted set, leases in another
 * hash. It speaks to Redis through a {@link RedisLine}, by scripts, and listens through {@link RedisNotices}. It must
 * not show a credential, nor decide what a key means.
 */
import { batchOf, checkKey, checkLease, fencedOff, FabricError, limitOf, silentLogger, storeClosed, type ChangeListener, type Entry, type Lease, type LeaseRequest, type Logger, type Range, type Store, type Write } from '@hyperty/runtime'; // prettier-ignore
import { addressOf, isReply, malformedLease } from './redis-failure.ts';
import { RedisLine } from './redis-line.ts';
import { noticeOf, RedisNotices } from './redis-notices.ts';
import { acquireScript, commitScript, rangeScript, releaseScript, type RedisScript } from './redis-scripts.ts'; // prettier-ignore
import { checkEviction, durabilityOf, settingNames } from './redis-settings.ts';

/** Where a store on Redis is. */
export interface RedisStoreOptions {
  /** `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. Redis 6 or later. */
  readonly url: string;
  /** Name of the store in this Redis: printable ASCII without spaces and braces. */
  readonly namespace: string;
  /** How long a call waits for Redis, and for a Redis that is gone to come back. Default 10,000. */
  readonly timeoutMs?: number;
  /** Hears when commits may be lost, and of lost connections. */
  readonly logger?: Logger;
}

/** Redis closes connections on which more than 1 GiB or about a million arguments come at once. */
const MAX_BATCH_CHARS = 128 * 1024 * 1024;
const MAX_BATCH_WRITES = 250_000;
/** As many as the contract allows characters, of which each has a byte at least. */
const MAX_RANGE_BYTES = 32 * 1024 * 1024;
/** Far longer than any connection holds back a commit that was given up. */
const LINE_MEMORY_MS = 24 * 60 * 60_000;
const NAMESPACE = /^[!-z|~]{1,200}$/;

/**
 * Opens a store on Redis; waits `timeoutMs` for one that does not answer yet.
 * Calls keep their order over lost connections. When no answer comes in time they fail with `storage`; its
 * `details.outcome` is `unknown` for a commit that may have been carried out, otherwise `none`. Such a commit is carried
 * out before the next call that succeeds is answered, or never.
 * @throws FabricError `storage` (not reachable, or it would throw data away), `unauthenticated`, `forbidden`
 * @throws TypeError for a malformed URL, namespace or `timeoutMs`
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { namespace, timeoutMs = 10_000, url, logger = silentLogger } = options;
  const address = addressOf(url);
  if (!NAMESPACE.test(namespace))
    throw new TypeError('A namespace has 1 to 200 printable ASCII characters, without spaces and braces.');
  if (!(timeoutMs > 0)) throw new TypeError(`timeoutMs must be a positive number, got ${timeoutMs}.`);
  const key = `{${namespace}}:line:${crypto.randomUUID()}`;
  const line = new RedisLine({ url, address, timeoutMs, logger, key, memoryMs: LINE_MEMORY_MS });
  try {
    const settings = await readSettings(line);
    checkEviction(settings, address);
    const durability = durabilityOf(settings);
    if (durability !== 'strict')
      logger.warn({ address, durability, ...settings }, 'this Redis may lose commits; see appendfsync');
    const notices = new RedisNotices({ url, address, timeoutMs, logger, channel: `{${namespace}}:changes` });
    return new RedisStore({ namespace, address, durability, line, key, notices });
  } catch (error) {
    await line.close();
    throw error;
  }
}

/** A server that keeps its settings to itself refuses or does not know the command; it is used all the same. */
async function readSettings(line: RedisLine): Promise<Readonly<Record<string, string>>> {
  const replies = settingNames.map((name) =>
    line.ask(['CONFIG', 'GET', name]).catch((error: unknown) => {
      if (error instanceof FabricError && isReply(error.cause) && error.code !== 'unauthenticated') return {};
      throw error;
    }),
  );
  return Object.assign({}, ...(await Promise.all(replies))) as Record<string, string>;
}

interface RedisStoreParts {
  readonly namespace: string;
  readonly address: string;
  readonly durability: Store['durability'];
  readonly line: RedisLine;
  /** Key of what Redis remembers of the line. */
  readonly key: string;
  readonly notices: RedisNotices;
}

class RedisStore implements Store {
  readonly name: string;
  readonly durability: Store['durability'];
  readonly #address: string;
  readonly #line: RedisLine;
  readonly #notices: RedisNotices;
  readonly #keys: { readonly order: string; readonly values: string; readonly leases: string };
  readonly #lineKey: string;
  readonly #channel: string;
  #closing: Promise<unknown> | undefined;

  constructor({ namespace, address, durability, line, key, notices }: RedisStoreParts) {
    this.name = `the store "${namespace}" on ${address}`;
    this.durability = durability;
    this.#address = address;
    this.#line = line;
    this.#notices = notices;
    const tag = `{${namespace}}`;
    this.#keys = { order: `${tag}:order`, values: `${tag}:values`, leases: `${tag}:leases` };
    this.#lineKey = key;
    this.#channel = `${tag}:changes`;
  }

  async get(key: string): Promise<string | undefined> {
    this.#checkOpen();
    checkKey(key);
    return textOf(await this.#line.ask(['HGET', this.#keys.values, key]));
  }

  async range(range: Range): Promise<readonly Entry[]> {
    this.#checkOpen();
    const { from = '', to, reverse = false } = range;
    const bounds = [`[${from}`, to === undefined ? '+' : `(${to}`];
    const order = reverse ? ['ZREVRANGEBYLEX', ...bounds.toReversed()] : ['ZRANGEBYLEX', ...bounds];
    const args = [...order, String(limitOf(range)), String(MAX_RANGE_BYTES)];
    const { order: keys, values } = this.#keys;
    const flat = (await this.#line.ask(call(rangeScript, [keys, values], args))) as string[];
    const entries: Entry[] = [];
    for (let at = 0; at < flat.length; at += 2)
      entries.push({ key: flat[at] ?? '', value: flat[at + 1] ?? '' });
    return entries;
  }

  async commit(given: readonly Write[], held: readonly Lease[] = []): Promise<void> {
    this.#checkOpen();
    const { writes, fences } = batchOf(given, held);
    checkBatch(writes);
    const { order, values, leases } = this.#keys;
    const keys = [order, values, leases, this.#lineKey];
    const args = batchArguments(writes, fences);
    const outcome = await this.#line.commit(({ number, settled }) => {
      const head = [String(number), String(settled), String(LINE_MEMORY_MS), this.#channel];
      return call(commitScript, keys, [...head, ...args]);
    });
    const lost = fences[Number(outcome) - 1];
    if (lost) throw fencedOff(lost, this.name);
    if (outcome !== 0)
      throw new FabricError(
        'storage',
        `${this.name} has not carried out a commit: the connection broke, and later ones came first. Try again.`,
        { details: { outcome: 'none' } },
      );
  }

  async acquire(name: string, { holder, ttlMs }: LeaseRequest): Promise<Lease | undefined> {
    this.#checkOpen();
    checkLease(name, { holder, ttlMs });
    const args = [name, holder, String(ttlMs)];
    const token = textOf(await this.#line.ask(call(acquireScript, [this.#keys.leases], args)));
    return token === undefined ? undefined : { name, holder, token: Number(token) };
  }

  async release({ name, holder, token }: Lease): Promise<void> {
    this.#checkOpen();
    await this.#line.ask(call(releaseScript, [this.#keys.leases], [name, holder, String(token)]));
  }

  async holderOf(name: string): Promise<string | undefined> {
    this.#checkOpen();
    const record = textOf(await this.#line.ask(['HGET', this.#keys.leases, name]));
    if (record === undefined) return undefined;
    const holder = /^\d+ \d+ \d+ (.*)$/s.exec(record)?.[1];
    if (holder === undefined) throw malformedLease(name, this.#address);
    return holder || undefined;
  }

  watch(prefix: string, listener: ChangeListener): () => void {
    this.#checkOpen();
    return this.#notices.watch(prefix, listener);
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.all([this.#line.close(), this.#notices.close()]);
    await this.#closing;
  }

  #checkOpen(): void {
    if (this.#closing) throw storeClosed(this.name);
  }
}

const textOf = (reply: unknown): string | undefined => (typeof reply === 'string' ? reply : undefined);

const call = ({ sha }: RedisScript, keys: readonly string[], args: readonly string[]): string[] => [
  'EVALSHA',
  sha,
  String(keys.length),
  ...keys,
  ...args,
];

/** What `commitScript` takes after its place in the line. */
function batchArguments(writes: readonly Write[], fences: readonly Lease[]): string[] {
  const latest = new Map(writes.map(({ key, value }) => [key, value]));
  const puts: string[] = [];
  const gone: string[] = [];
  for (const [key, value] of latest) {
    if (value === null) gone.push(key);
    else puts.push(key, value);
  }
  const counts = [String(fences.length), String(puts.length / 2)];
  const proofs = fences.flatMap(({ name, holder, token }) => [name, holder, String(token)]);
  return [noticeOf([...latest.keys()]), ...counts, ...proofs, ...puts, ...gone];
}

/** @throws FabricError `too-large` for more than Redis takes at once */
function checkBatch(writes: readonly Write[]): void {
  const chars = writes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
  if (chars <= MAX_BATCH_CHARS && writes.length <= MAX_BATCH_WRITES) return;
  throw new FabricError(
    'too-large',
    `A batch has ${writes.length} changes of ${chars} characters; at most ${MAX_BATCH_WRITES} of ${MAX_BATCH_CHARS} are taken at once.`,
  );
}
