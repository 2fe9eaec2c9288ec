/**
 * A subscription as its subscriber keeps it: subscribes, renews its lease, and subscribes again when the peer was away,
 * until it is stopped or refused for good.
 */
import { ownerOf, type Address, type RuntimeAddress } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Timer } from '../platform/clock.ts';
import type { Bus, Draft } from './bus.ts';

/** How long a subscription lasts without renewal, milliseconds. */
export const SUBSCRIPTION_LEASE_MS = 600_000;

/** Who subscribes to what, and who hears of it. */
export interface SubscriptionParts {
  readonly bus: Bus;
  readonly from: Address;
  readonly to: Address;
  /** What is subscribed to, where an address offers more than one thing. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Sends what needs no answer. */
  readonly post: (draft: Omit<Draft, 'from'>) => void;
  /** The answer to a subscription, or to a renewal; `hasNewer` when follow-ups have come since it was asked for. */
  readonly onAnswer: (value: unknown, hasNewer: boolean) => void;
  /** An `update` or `event` that follows. */
  readonly onFollowUp: (envelope: Envelope) => void;
  /** The peer does not answer; it is asked again. */
  readonly onLost: () => void;
  /** Refused for good: it has ended. */
  readonly onFailed: (error: FabricError) => void;
}

const RETRY_MS = { first: 1000, longest: 60_000 };

/** A subscription of one address to another. */
export class Subscription {
  readonly #parts: SubscriptionParts;
  readonly #undo: (() => void)[];
  #id: string | undefined;
  #retryMs = RETRY_MS.first;
  #timer: Timer;
  #followUps = 0;
  #isOver = false;

  /** Subscribes at once. */
  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    const { bus, onLost } = parts;
    this.#undo = [
      bus.onClosing(() => {
        onLost();
        this.stop();
      }),
      bus.onInterruption((peer) => {
        this.#onInterruption(peer);
      }),
    ];
    void this.#subscribe();
  }

  /** Ends it; the peer is told. */
  stop(): void {
    if (this.#isOver) return;
    this.dispose();
    if (this.#id === undefined) return;
    const { bus, to, post } = this.#parts;
    const deadline = bus.clock.now() + 60_000;
    post({ to, type: 'unsubscribe', body: { subscription: this.#id }, deadline });
  }

  /** The peer has let go of it, and says that it may come back: subscribes again in a while. */
  resume(): void {
    if (this.#isOver) return;
    this.#parts.bus.clock.clearTimeout(this.#timer);
    this.#lose();
  }

  /** Lets go of timer, stream and listeners, without telling the peer: what it subscribed to has ended. */
  dispose(): void {
    const { bus } = this.#parts;
    this.#isOver = true;
    for (const undo of this.#undo.splice(0)) undo();
    bus.clock.clearTimeout(this.#timer);
    if (this.#id !== undefined) bus.endStream(this.#id);
  }

  /** What is subscribed to may have lived in that runtime: what it knew of us is gone. */
  #onInterruption(peer: RuntimeAddress): void {
    const { bus, to } = this.#parts;
    if (this.#id === undefined || ownerOf(peer) !== ownerOf(to)) return;
    bus.endStream(this.#id);
    bus.clock.clearTimeout(this.#timer);
    this.#id = undefined;
    void this.#subscribe();
  }

  async #subscribe(): Promise<void> {
    const { bus, from, to, body, onAnswer, onFollowUp } = this.#parts;
    const [renewed, seen] = [this.#id, this.#followUps];
    const draft = {
      from,
      to,
      type: 'subscribe',
      body: renewed === undefined ? (body ?? {}) : { subscription: renewed },
    };
    const onUpdate = (envelope: Envelope): void => {
      if (this.#isOver) return;
      this.#followUps += 1;
      onFollowUp(envelope);
    };
    const { id, outcome } = bus.openRequest(draft, renewed === undefined ? { onUpdate } : {});
    this.#id ??= id;
    const mine = this.#id;
    const isMine = (): boolean => !this.#isOver && this.#id === mine;
    try {
      const value = await outcome;
      if (!isMine()) return;
      this.#retryMs = RETRY_MS.first;
      this.#again(SUBSCRIPTION_LEASE_MS / 2);
      onAnswer(value, seen !== this.#followUps);
    } catch (caught) {
      if (isMine()) this.#onFailure(FabricError.from(caught));
    }
  }

  #onFailure(error: FabricError): void {
    if (error.retryable) {
      this.#lose();
      return;
    }
    this.dispose();
    this.#parts.onFailed(error);
  }

  #lose(): void {
    const { bus, onLost } = this.#parts;
    if (this.#id !== undefined) bus.endStream(this.#id);
    this.#id = undefined;
    onLost();
    this.#again(this.#retryMs * (0.5 + Number.parseInt(bus.ids.hex(4), 16) / 0xffff)); // not all at once
    this.#retryMs = Math.min(RETRY_MS.longest, this.#retryMs * 2);
  }

  #again(inMs: number): void {
    this.#timer = this.#parts.bus.clock.setTimeout(() => void this.#subscribe(), inMs);
  }
}
