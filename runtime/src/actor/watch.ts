/**
 * A watch: the subscription behind one remote reference. It subscribes, renews its lease, and subscribes again when
 * the peer was away, until it is stopped.
 */
import { ownerOf, type Address, type RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Timer } from '../platform/clock.ts';
import type { FabricContext } from './context.ts';
import { SUBSCRIPTION_LEASE_MS, type ExposedSnapshot } from './subscribers.ts';

/** What a watch tells its reference. */
export type WatchEvent =
  | { readonly type: '@hyperty.update'; readonly snapshot: ExposedSnapshot }
  | { readonly type: '@hyperty.lost' }
  | { readonly type: '@hyperty.failed'; readonly error: FabricError };

/** Where a watch reports. */
export interface WatchTarget {
  readonly send: (event: WatchEvent) => void;
  readonly emit: (event: unknown) => void;
}

const RETRY_MS = { first: 1000, longest: 60_000 };
const STATUSES = new Set<unknown>(['active', 'done', 'error', 'stopped']);

/** A subscription to one hyperty. */
export class Watch {
  readonly #address: Address;
  readonly #fabric: FabricContext;
  readonly #target: WatchTarget;
  readonly #undo: () => void;
  #subscription: string | undefined;
  #updates = 0;
  #retryMs = RETRY_MS.first;
  #timer: Timer;
  readonly #stopListening: () => void;
  #stopped = false;

  /** Subscribes at once. */
  constructor(address: Address, fabric: FabricContext, target: WatchTarget) {
    this.#address = address;
    this.#fabric = fabric;
    this.#target = target;
    this.#undo = fabric.bus.onClosing(() => {
      this.#target.send({ type: '@hyperty.lost' });
      this.stop();
    });
    this.#stopListening = fabric.bus.onInterruption((peer) => {
      this.#onInterruption(peer);
    });
    void this.#subscribe();
  }

  /** Ends the subscription; the peer is told. */
  stop(): void {
    if (this.#stopped) return;
    this.#dispose();
    if (this.#subscription === undefined) return;
    const { bus } = this.#fabric;
    const body = { subscription: this.#subscription };
    this.#fabric.post({ to: this.#address, type: 'unsubscribe', body, deadline: bus.clock.now() + 60_000 });
  }

  /** Lets go of timer, stream and listeners: it was stopped, or what it watched has ended. */
  #dispose(): void {
    const { bus } = this.#fabric;
    this.#stopped = true;
    this.#stopListening();
    this.#undo();
    bus.clock.clearTimeout(this.#timer);
    if (this.#subscription !== undefined) bus.endStream(this.#subscription);
  }

  /** The hyperty may have lived in that runtime: what it knew of us is gone. */
  #onInterruption(peer: RuntimeAddress): void {
    if (this.#subscription === undefined || ownerOf(peer) !== ownerOf(this.#address)) return;
    const { bus } = this.#fabric;
    bus.endStream(this.#subscription);
    bus.clock.clearTimeout(this.#timer);
    this.#subscription = undefined;
    void this.#subscribe();
  }

  async #subscribe(): Promise<void> {
    const { bus, address: from } = this.#fabric;
    const seen = this.#updates;
    const onUpdate = (update: { readonly type: string; readonly body?: unknown }): void => {
      this.#onUpdate(update);
    };
    const renewed = this.#subscription;
    const draft = {
      from,
      to: this.#address,
      type: 'subscribe',
      body: renewed === undefined ? {} : { subscription: renewed },
    };
    const { id, outcome } = bus.openRequest(draft, renewed === undefined ? { onUpdate } : {});
    this.#subscription ??= id;
    const mine = this.#subscription;
    try {
      const snapshot = await outcome;
      if (this.#stopped || this.#subscription !== mine) return;
      this.#retryMs = RETRY_MS.first;
      this.#again(SUBSCRIPTION_LEASE_MS / 2);
      if (seen === this.#updates) this.#onUpdate({ type: 'update', body: snapshot });
    } catch (caught) {
      if (!this.#stopped && this.#subscription === mine) this.#onFailure(FabricError.from(caught));
    }
  }

  #onUpdate({ type, body }: { readonly type: string; readonly body?: unknown }): void {
    if (this.#stopped) return;
    if (type === 'event') {
      this.#target.emit(body);
      return;
    }
    this.#updates += 1;
    if (!isExposed(body)) return;
    if (body.status !== 'active') this.#dispose();
    this.#target.send({ type: '@hyperty.update', snapshot: body });
  }

  #onFailure(error: FabricError): void {
    if (this.#subscription !== undefined) this.#fabric.bus.endStream(this.#subscription);
    this.#subscription = undefined;
    if (!error.retryable) {
      this.#dispose();
      this.#target.send({ type: '@hyperty.failed', error });
      return;
    }
    this.#target.send({ type: '@hyperty.lost' });
    this.#again(this.#retryMs);
    this.#retryMs = Math.min(RETRY_MS.longest, this.#retryMs * 2);
  }

  #again(inMs: number): void {
    this.#timer = this.#fabric.bus.clock.setTimeout(() => void this.#subscribe(), inMs);
  }
}

const isExposed = (body: unknown): body is ExposedSnapshot =>
  typeof body === 'object' && body !== null && STATUSES.has((body as { status?: unknown }).status);
