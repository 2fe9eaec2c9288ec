/**
 * The line of requests to Redis: one after the other, in the order asked for, also over lost connections. What has no
 * answer when a connection breaks is asked again, from the first on, before anything new. That is safe: reading
 * changes nothing, taking and giving back a lease come out the same when done twice, and commits have numbers by which
 * Redis tells those that it has carried out (see `commitScript`).
 *
 * A commit that is given up after it was sent has an unknown outcome. It is settled before anything later is answered:
 * on the same connection it comes first; before a new one is used, `abandonScript` makes it late for ever.
 */
import type { Logger } from '@hyperty/runtime';
import { RedisConnection, type RedisClient } from './redis-connection.ts';
import { isReply, refusalOf, replyCodeOf, unanswered } from './redis-failure.ts';
import { abandonScript, allScripts } from './redis-scripts.ts';

/** The place of a commit among those of its client. */
export interface Place {
  readonly number: number;
  /** All commits up to this one have been answered: Redis may forget them. */
  readonly settled: number;
}

/** How a line reaches Redis. */
export interface RedisLineOptions {
  readonly url: string;
  readonly address: string;
  readonly timeoutMs: number;
  readonly logger?: Logger | undefined;
  /** Key of what Redis remembers of this line. */
  readonly key: string;
  /** How long Redis remembers it after the last commit. */
  readonly memoryMs: number;
}

interface Request {
  /** 0 unless it is a commit. */
  readonly number: number;
  readonly command: (place: Place) => readonly string[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
  timer?: NodeJS.Timeout;
  wasSent: boolean;
}

/** Requests to one Redis. */
export class RedisLine {
  readonly #options: RedisLineOptions;
  readonly #connection: RedisConnection;
  readonly #pending = new Set<Request>();
  readonly #commits = new Set<number>();
  #client: RedisClient | undefined;
  #count = 0;
  #abandoned = 0;
  #error: unknown;
  #emptied: (() => void) | undefined;

  constructor(options: RedisLineOptions) {
    this.#options = options;
    this.#connection = new RedisConnection({
      ...options,
      greet: (client) => this.#greet(client),
      onReady: (client) => this.#resume(client),
      onLost: (error) => this.#pause(error),
    });
    this.#connection.start();
  }

  /** Asks for something that may be asked twice. @throws FabricError `storage unauthenticated forbidden` */
  ask(command: readonly string[]): Promise<unknown> {
    return this.#enqueue(0, () => command);
  }

  /** Asks for a commit. @throws FabricError as {@link ask} */
  commit(command: Request['command']): Promise<unknown> {
    this.#count += 1;
    this.#commits.add(this.#count);
    return this.#enqueue(this.#count, command);
  }

  /** Waits until all is answered or given up, and lets go of the connection. */
  async close(): Promise<void> {
    if (this.#pending.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
    await this.#connection.stop();
  }

  #enqueue(number: number, command: Request['command']): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request: Request = { number, command, resolve, reject, wasSent: false };
      request.timer = setTimeout(() => this.#giveUp(request), this.#options.timeoutMs);
      this.#pending.add(request);
      if (this.#client) void this.#send(this.#client, request);
    });
  }

  async #send(client: RedisClient, request: Request): Promise<void> {
    request.wasSent = true;
    const [first = this.#count + 1] = this.#commits;
    const command = request.command({ number: request.number, settled: first - 1 });
    try {
      const reply: unknown = await client.sendCommand(command);
      if (this.#settle(request)) request.resolve(reply);
    } catch (error) {
      // The next connection asks again.
      if (!isReply(error)) return;
      // Somebody has emptied Redis's memory of scripts; what was sent after this one must not overtake it for good.
      if (replyCodeOf(error) === 'NOSCRIPT') this.#connection.drop('Redis has forgotten the scripts');
      else if (this.#settle(request)) request.reject(refusalOf(error, this.#options.address));
    }
  }

  /** Nothing is sent before the server has loaded its data, knows the scripts, and no given-up commit can happen. */
  async #greet(client: RedisClient): Promise<void> {
    await Promise.all(allScripts.map(({ text }) => client.scriptLoad(text)));
    const { key, memoryMs } = this.#options;
    if (this.#abandoned === 0) return;
    const abandoned = [String(this.#abandoned), String(memoryMs)];
    await client.evalSha(abandonScript.sha, { keys: [key], arguments: abandoned });
  }

  #resume(client: RedisClient): void {
    this.#error = undefined;
    this.#client = client;
    for (const request of this.#pending) void this.#send(client, request);
  }

  #pause(error: unknown): void {
    this.#error = error;
    this.#client = undefined;
    // Time does not make a wrong password right.
    if (isReply(error) && refusalOf(error, '').code === 'unauthenticated')
      for (const request of this.#pending) this.#giveUp(request);
  }

  #giveUp(request: Request): void {
    if (!this.#settle(request)) return;
    const isUnknown = request.number > 0 && request.wasSent;
    if (isUnknown) this.#abandoned = request.number;
    const { address, timeoutMs } = this.#options;
    request.reject(unanswered({ address, timeoutMs, error: this.#error, isUnknown }));
  }

  #settle(request: Request): boolean {
    if (!this.#pending.delete(request)) return false;
    clearTimeout(request.timer);
    this.#commits.delete(request.number);
    if (this.#pending.size === 0) this.#emptied?.();
    return true;
  }
}
