/**
 * What durable hyperties have sent and their receivers' runtimes have not taken over yet. The store has each message; this
 * gives them to the bus, in order for each receiver, again and again until they are taken over or will never be.
 *
 * Receivers tell repeats by the number of the latest message from a sender, so order matters more than anything here:
 * when one message comes back, all that were sent after it to the same receiver go out again behind it.
 */
import type { Bus } from '../bus/bus.ts';
import type { Address } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Timer } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { shardOf } from './keys.ts';

/** What the outgoing messages need around them. */
export interface OutgoingDeps {
  readonly bus: Bus;
  readonly logger: Logger;
  /** These have been taken over: the store may forget them. */
  readonly forget: (envelopes: readonly Envelope[]) => void;
  /** This one will never be taken over: the store forgets it, its sender is told. */
  readonly failed: (envelope: Envelope, error: FabricError) => void;
}

/** Messages to one receiver, in order. */
interface Lane {
  readonly to: Address;
  readonly waiting: Map<string, Envelope>;
  /** True while nothing is given to the bus, as something has come back. */
  isStalled: boolean;
  failures: number;
  /** Since when nobody has been found there, epoch milliseconds. */
  missingSinceMs: number | undefined;
  timer: Timer;
  /** On their way through the stages of the bus. */
  readonly entering: Set<string>;
}

/** Answers that are kept for one receiver at most: strangers ask, and need not take what they are told. */
const MAX_ANSWERS = 4096;
const RETRY_MS = { first: 1000, longest: 60_000 };
/** With no progress for this long everything goes out again: the receiver may have moved. */
const STALE_MS = 30_000;
/** Whoever is not found may just be starting; whoever asks hears of it after this time. */
const NOT_FOUND_GRACE_MS = 60_000;
/** What nobody waits for an answer to is kept for longer: its receiver's runtime may be down while another one denies. */
const LOST_AFTER_MS = 7 * 24 * 3_600_000;
/** Wait for stages that are still busy with what is to go out again. */
const ENTERING_MS = 50;

/** The outgoing messages of the durable hyperties that this process runs. */
export class Outgoing {
  readonly #deps: OutgoingDeps;
  readonly #lanes = new Map<Address, Lane>();
  /** What was sent in shards of which the earlier messages are still being read. */
  readonly #opening = new Map<string, Envelope[]>();
  /** Shards that were lost and not gained again. What was being kept meanwhile is in the store: their new owner sends it. */
  readonly #lost = new Set<string>();
  #kept: Envelope[] = [];
  #isStopped = false;

  constructor(deps: OutgoingDeps) {
    this.#deps = deps;
  }

  /** Messages that have not been taken over. */
  get size(): number {
    let size = 0;
    for (const { waiting } of this.#lanes.values()) size += waiting.size;
    return size;
  }

  /** Holds back what a shard sends from now on, until {@link opened}: what it sent before is being read. */
  opening(shard: string): readonly Envelope[] {
    const held: Envelope[] = [];
    this.#lost.delete(shard);
    this.#opening.set(shard, held);
    return held;
  }

  /** All that a shard sent before `held` has been given to {@link resume}. */
  opened(shard: string, held: readonly Envelope[]): void {
    if (this.#opening.get(shard) !== held) return; // it was lost meanwhile
    this.#opening.delete(shard);
    void this.resume(held);
  }

  /** Sends messages that are durable already, in order. A promise means congestion. */
  push(envelopes: readonly Envelope[]): void | Promise<void> {
    if (this.#opening.size === 0) return this.resume(envelopes);
    const ready = envelopes.filter((envelope) => {
      const held = this.#opening.get(shardOf(envelope.from));
      held?.push(envelope);
      return !held;
    });
    return this.resume(ready);
  }

  /** Sends messages that an earlier owner of their shard has left. */
  resume(envelopes: readonly Envelope[]): void | Promise<void> {
    let congestion: Promise<void> | undefined;
    for (const envelope of envelopes) {
      if (this.#lost.has(shardOf(envelope.from))) continue;
      const lane = this.#laneTo(envelope.to);
      if (lane.waiting.has(envelope.id)) continue;
      lane.waiting.set(envelope.id, envelope);
      if (envelope.type === 'response' && lane.waiting.size > MAX_ANSWERS) {
        this.#fail(lane, envelope, tooMany(envelope));
        continue;
      }
      if (!lane.isStalled) congestion = this.#give(lane, envelope) ?? congestion;
    }
    return congestion;
  }

  /** The receiver's runtime has taken a message over. */
  kept(envelope: Envelope): void {
    const lane = this.#lanes.get(envelope.to);
    if (!lane?.waiting.delete(envelope.id)) return;
    lane.failures = 0;
    lane.missingSinceMs = undefined;
    this.#forget(envelope);
    if (lane.waiting.size > 0) {
      if (!lane.isStalled) this.#watch(lane, STALE_MS);
      return;
    }
    this.#end(lane);
  }

  /** A message has come back. */
  undeliverable(envelope: Envelope, error: FabricError): void {
    const lane = this.#lanes.get(envelope.to);
    lane?.entering.delete(envelope.id);
    if (this.#isStopped || !lane?.waiting.has(envelope.id)) return;
    if (error.code === 'closed') return; // this runtime stops: its next life goes on with what is kept
    if (this.#isFinal(lane, envelope, error)) {
      this.#fail(lane, envelope, error);
      return;
    }
    if (lane.isStalled) return;
    lane.isStalled = true;
    const backOffMs = Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** lane.failures);
    lane.failures += 1;
    this.#watch(lane, backOffMs);
    this.#deps.logger.debug(
      { to: lane.to, error, waiting: lane.waiting.size },
      'durable messages wait for their receiver',
    );
  }

  /**
   * Asked when a message has passed the stages of the bus. False: one before it has come back meanwhile, and it goes out again
   * behind that.
   */
  mayLeave(envelope: Envelope): boolean {
    const lane = this.#lanes.get(envelope.to);
    lane?.entering.delete(envelope.id);
    return lane !== undefined && !lane.isStalled && lane.waiting.has(envelope.id);
  }

  /** Lets go of the messages of a shard that another process runs now. */
  drop(shard: string): void {
    this.#opening.delete(shard);
    this.#lost.add(shard);
    for (const lane of this.#lanes.values()) {
      for (const [id, envelope] of lane.waiting) {
        if (shardOf(envelope.from) !== shard) continue;
        lane.waiting.delete(id);
        this.#deps.bus.withdraw(envelope);
      }
      if (lane.waiting.size === 0) this.#end(lane);
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const lane of this.#lanes.values()) this.#deps.bus.clock.clearTimeout(lane.timer);
    this.#lanes.clear();
  }

  #fail(lane: Lane, envelope: Envelope, error: FabricError): void {
    lane.waiting.delete(envelope.id);
    this.#deps.failed(envelope, error);
    if (lane.waiting.size === 0) this.#end(lane);
  }

  #laneTo(to: Address): Lane {
    const known = this.#lanes.get(to);
    if (known) return known;
    const lane: Lane = {
      to,
      waiting: new Map(),
      isStalled: false,
      failures: 0,
      missingSinceMs: undefined,
      timer: undefined,
      entering: new Set(),
    };
    this.#lanes.set(to, lane);
    this.#watch(lane, STALE_MS);
    return lane;
  }

  #give(lane: Lane, envelope: Envelope): Promise<void> | undefined {
    const { deadline } = envelope;
    if (deadline !== undefined && deadline <= this.#deps.bus.clock.now()) {
      this.undeliverable(envelope, expired(envelope));
      return undefined;
    }
    lane.entering.add(envelope.id);
    return this.#deps.bus.forward(envelope) ?? undefined;
  }

  #watch(lane: Lane, inMs: number): void {
    const { clock } = this.#deps.bus;
    clock.clearTimeout(lane.timer);
    lane.timer = clock.setTimeout(() => {
      this.#again(lane);
    }, inMs);
  }

  /** Everything goes out again, the oldest first. */
  #again(lane: Lane): void {
    if (this.#isStopped || this.#lanes.get(lane.to) !== lane) return;
    if (lane.entering.size > 0) {
      lane.isStalled = true; // what is still in the stages must not come out between those that go in again
      this.#watch(lane, ENTERING_MS);
      return;
    }
    lane.isStalled = false;
    this.#watch(lane, Math.max(STALE_MS, Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** lane.failures)));
    const waiting = [...lane.waiting.values()];
    for (const envelope of waiting) this.#deps.bus.withdraw(envelope);
    for (const envelope of waiting) {
      if (isStalled(lane)) return; // one has come back already: the rest waits for it
      if (lane.waiting.has(envelope.id)) void this.#give(lane, envelope);
    }
  }

  #end(lane: Lane): void {
    this.#deps.bus.clock.clearTimeout(lane.timer);
    if (this.#lanes.get(lane.to) === lane) this.#lanes.delete(lane.to);
  }

  /** Many are taken over together: the store forgets them together. */
  #forget(envelope: Envelope): void {
    this.#kept.push(envelope);
    if (this.#kept.length > 1) return;
    queueMicrotask(() => {
      const kept = this.#kept;
      this.#kept = [];
      this.#deps.forget(kept);
    });
  }

  #isFinal(lane: Lane, envelope: Envelope, error: FabricError): boolean {
    const now = this.#deps.bus.clock.now();
    if (envelope.deadline !== undefined && envelope.deadline <= now) return true;
    // While a runtime starts it has no roads yet, and hyperties that went on have messages for them.
    if (error.code !== 'not-found' && error.code !== 'no-route') return !error.retryable;
    lane.missingSinceMs ??= now;
    const graceMs = envelope.type === 'execute' ? NOT_FOUND_GRACE_MS : LOST_AFTER_MS;
    return now - lane.missingSinceMs > graceMs;
  }
}

/** Asked anew, as giving a message may stall its lane. */
const isStalled = (lane: Lane): boolean => lane.isStalled;

const tooMany = ({ to }: Envelope): FabricError =>
  new FabricError('mailbox-full', `${to} takes none of the answers that wait for it; this one is not kept.`);

const expired = ({ to }: Envelope): FabricError =>
  new FabricError('offline', `${to} did not take this before its deadline.`, { details: { to } });
