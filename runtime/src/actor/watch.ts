/** A watch: the subscription behind one remote reference, and what it says of the hyperty's snapshot. */
import { Subscription } from '../bus/subscription.ts';
import type { Address } from '../message/address.ts';
import type { FabricError } from '../message/error.ts';
import type { FabricContext } from './context.ts';
import type { ExposedSnapshot } from './subscribers.ts';

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

const STATUSES = new Set<unknown>(['active', 'done', 'error', 'stopped']);

/** A subscription to one hyperty. */
export class Watch {
  readonly #target: WatchTarget;
  readonly #subscription: Subscription;

  /** Subscribes at once. */
  constructor(to: Address, fabric: FabricContext, target: WatchTarget) {
    this.#target = target;
    this.#subscription = new Subscription({
      bus: fabric.bus,
      from: fabric.address,
      to,
      post: (draft) => {
        fabric.post(draft);
      },
      onAnswer: (snapshot, hasNewer) => {
        if (!hasNewer) this.#show(snapshot);
      },
      onFollowUp: ({ type, body }) => {
        if (type === 'event') target.emit(body);
        else this.#show(body);
      },
      onLost: () => {
        target.send({ type: '@hyperty.lost' });
      },
      onFailed: (error) => {
        target.send({ type: '@hyperty.failed', error });
      },
    });
  }

  /** Ends the subscription; the peer is told. */
  stop(): void {
    this.#subscription.stop();
  }

  #show(snapshot: unknown): void {
    if (!isExposed(snapshot)) return;
    if (snapshot.status !== 'active') this.#subscription.dispose();
    this.#target.send({ type: '@hyperty.update', snapshot });
  }
}

const isExposed = (body: unknown): body is ExposedSnapshot =>
  typeof body === 'object' && body !== null && STATUSES.has((body as { status?: unknown }).status);
