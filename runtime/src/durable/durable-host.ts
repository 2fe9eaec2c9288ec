/** How durable hyperties are hosted: one by one, or all of a definition; and what whoever hosts them holds. */
import type { AnyActorLogic } from 'xstate';
import type { HostedDefinition, HostedStatus, HostOptions } from '../actor/hosting.ts';
import type { Descriptor, EventSchemas, HypertyDefinition, Peer } from '../actor/hyperty.ts';
import type { HypertyAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import type { DurableActor } from './durable-actor.ts';
import type { DurableHyperties } from './durable-hyperties.ts';
import type { Kind } from './kind.ts';

/** What hosting needs around it. */
export interface DurableHostDeps {
  readonly durables: DurableHyperties;
  readonly logger: Logger;
  readonly addressOf: (name: string) => HypertyAddress;
  /** Settles once the runtime has started. */
  readonly started: Promise<unknown>;
  /** Hears which of them are hosted by name. */
  readonly registrar: DurableListing | undefined;
}

/** What keeps a list of hyperties. */
export interface DurableListing {
  add(address: HypertyAddress, descriptor: Descriptor): void;
  remove(address: HypertyAddress): void;
}

/** A durable hyperty as its host holds it. */
export interface DurableHandle<P> {
  readonly address: HypertyAddress;
  readonly peer: P;
  readonly ready: Promise<void>;
  readonly status: HostedStatus;
  readonly mailboxDepth: number;
  /** @throws TypeError always: it is not in memory most of the time. */
  readonly actor: never;
  /** Ends it for good. */
  stop(): void;
}

/** The durable hyperties of one definition that a runtime hosts; most of them are not in memory. */
export interface HostedKind<
  A extends EventSchemas = EventSchemas,
  E extends EventSchemas = EventSchemas,
  X = unknown,
> {
  /** Names one of them. @throws FabricError `invalid` */
  at(name: string): Peer<A, E, X>;
  /**
   * Makes one, unless the store has it already; settles once it is kept.
   * @throws FabricError `crashed` when its machine cannot start, `timeout` when another process runs its part of the store
   * and does not make it
   */
  create(name: string, options?: { readonly input?: unknown }): Promise<Peer<A, E, X>>;
  /** Ends one for good; who waits for an answer gets `closed`. Does nothing when there is none. */
  remove(name: string): Promise<void>;
}

/** Hosts durable hyperties. */
export class DurableHost {
  readonly #deps: DurableHostDeps;

  constructor(deps: DurableHostDeps) {
    this.#deps = deps;
  }

  /** Hosts one: it is made, or found, as soon as the runtime has started. @throws FabricError `conflict` */
  host<P>(peer: P, definition: HostedDefinition, options: HostOptions): DurableHandle<P> {
    const { durables, started, addressOf, registrar } = this.#deps;
    const { name = definition.descriptor.name, input, ...rest } = options;
    const kind = this.#register(definition, rest);
    const address = addressOf(name);
    const ready = started.then(() => durables.create(address, { kind, input }));
    const failed = (caught: unknown): void => this.#failed(address, caught);
    ready.catch(failed);
    durables.announce(address, ready);
    registrar?.add(address, definition.descriptor);
    let isStopped = false;
    return {
      address,
      peer,
      ready,
      get status() {
        return isStopped ? 'stopped' : statusOf(durables.actorOf(address));
      },
      get mailboxDepth() {
        return durables.actorOf(address)?.mailbag.depth ?? 0;
      },
      get actor(): never {
        throw new TypeError(
          `${address} is durable and may not be in memory: ask it, or follow it with remote(…).`,
        );
      },
      stop() {
        if (isStopped) return;
        isStopped = true;
        registrar?.remove(address);
        void ready
          .catch(() => undefined) // there may be one all the same
          .then(() => durables.remove(address))
          .catch(failed);
      },
    };
  }

  /** Hosts all of a definition. @throws FabricError `conflict` @throws TypeError when it is not durable */
  hostKind<A extends EventSchemas, E extends EventSchemas, M extends AnyActorLogic, X>(
    definition: HypertyDefinition<A, E, M, X>,
    options: HostOptions,
  ): HostedKind<A, E, X> {
    const { durables, started, addressOf } = this.#deps;
    const kind = this.#register(definition, options);
    const at = (name: string): Peer<A, E, X> => definition.at(addressOf(name));
    return {
      at,
      create: async (name, { input } = {}) => {
        await started;
        await durables.create(addressOf(name), { kind, input });
        return at(name);
      },
      remove: async (name) => {
        await started;
        await durables.remove(addressOf(name));
      },
    };
  }

  #failed(address: HypertyAddress, caught: unknown): void {
    const error = FabricError.from(caught);
    if (error.code !== 'closed')
      this.#deps.logger.error({ address, error }, 'a durable hyperty could not be made or ended');
  }

  #register(definition: HostedDefinition, options: HostOptions): Kind {
    const { durable, descriptor } = definition;
    if (!durable)
      throw new TypeError(
        `"${descriptor.name}" is not durable: give its definition { durable: { version: 1 } }.`,
      );
    const kind: Kind = { definition: { ...definition, durable }, options };
    this.#deps.durables.register(kind);
    return kind;
  }
}

function statusOf(actor: DurableActor | undefined): HostedStatus {
  const status = actor?.status;
  return status === 'restarting' || status === 'halted' || status === 'done' ? status : 'running';
}
