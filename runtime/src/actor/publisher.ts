/** The publishing side of one hyperty: shows its exposed snapshot and its emitted events to its subscribers. */
import type { AnyActorRef } from 'xstate';
import type { Address } from '../message/address.ts';
import type { Logger } from '../platform/logger.ts';
import { parseEvent, type HypertyDefinition } from './hyperty.ts';
import { Subscribers, type ExposedSnapshot, type Publication } from './subscribers.ts';

/** What a publisher needs from its hyperty. */
export interface PublisherDeps {
  readonly address: Address;
  readonly emits: HypertyDefinition['emits'];
  readonly expose: (snapshot: never) => unknown;
  readonly capacity: number;
  readonly logger: Logger;
  readonly now: () => number;
  readonly publish: (publication: Publication) => void;
}

/** Publishes what one actor after the other (each restart brings a new one) shows and emits. */
export class Publisher {
  readonly #deps: PublisherDeps;
  readonly #subscribers: Subscribers;

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
    this.#subscribers = new Subscribers(deps.capacity, deps.publish);
  }

  /** True while anybody subscribes. */
  get hasSubscribers(): boolean {
    return this.#subscribers.hasAny(this.#deps.now());
  }

  /** Follows an actor. */
  follow(actor: AnyActorRef): void {
    const next = (): void => {
      this.show(actor);
    };
    actor.subscribe({ next, error: () => undefined }); // a crash is the host's business
    actor.on('*', (event: unknown) => {
      this.#emit(event);
    });
  }

  /** Sends the actor's exposed snapshot to all subscribers, if it has changed. */
  show(actor: AnyActorRef): void {
    const { address, expose, logger, now } = this.#deps;
    try {
      this.#subscribers.update(exposedSnapshot(actor, expose), now());
    } catch (error) {
      logger.error({ address, error }, 'what a hyperty exposes cannot be shown');
    }
  }

  /** Tells all subscribers how it ended. */
  end(last: ExposedSnapshot): void {
    this.#subscribers.update(last, this.#deps.now());
  }

  /** Adds or renews a subscription. @throws FabricError `forbidden mailbox-full` */
  add(id: string, subscriber: Address): void {
    this.#subscribers.add(id, subscriber, this.#deps.now());
  }

  remove(id: string, subscriber: Address): void {
    this.#subscribers.remove(id, subscriber);
  }

  #emit(event: unknown): void {
    const { address, emits, logger, now } = this.#deps;
    try {
      this.#subscribers.emit(parseEvent(emits, event, `Event of ${address}`), now());
    } catch (error) {
      logger.error({ address, error }, 'an emitted event breaks the schema of its hyperty');
    }
  }
}

/** What peers see of an actor's snapshot. */
export function exposedSnapshot(actor: AnyActorRef, expose: (snapshot: never) => unknown): ExposedSnapshot {
  const snapshot = actor.getSnapshot() as ExposedSnapshot;
  const { status, value, output } = snapshot;
  return { status, value, output, context: expose(snapshot as never) };
}
