/**
 * The runtime: hosts hyperties of one owner on one device and joins bus, links and protostubs. The only file that
 * wires the parts. It knows no Matrix and nothing of Node.js.
 */
import type { AnyActorLogic } from 'xstate';
import { askPeer, type AskOptions, type Question, type UntypedEvent } from './actor/ask.ts';
import { HostedActor } from './actor/hosted-actor.ts';
import type { HostDeps, HostOptions } from './actor/hosting.ts';
import type { EventSchemas, HypertyDefinition, Parsed, Peer, Sent } from './actor/hyperty.ts';
import { createRemoteRef, type RemoteRef } from './actor/remote.ts';
import { createRuntimeEndpoint, createSpeaker } from './actor/speaker.ts';
import { Bus } from './bus/bus.ts';
import type { DeadLetterLog } from './bus/dead-letters.ts';
import type { Pipeline } from './bus/pipeline.ts';
import { DurableHost, type HostedKind } from './durable/durable-host.ts';
import type { DurableHyperties } from './durable/durable-hyperties.ts';
import type { DurableReport } from './durable/durable-report.ts';
import type { ParkedMessage } from './durable/parking.ts';
import type { Links } from './link/links.ts';
import { defaultLinkSettings } from './link/settings.ts';
import { createDurables } from './housing.ts';
import { createLinks } from './linking.ts';
import { hypertyAddress, parseAddress, runtimeParts, type HypertyAddress, type RuntimeAddress } from './message/address.ts'; // prettier-ignore
import { FabricError } from './message/error.ts';
import { createIdSource } from './message/id.ts';
import { systemClock } from './platform/clock.ts';
import { randomBytes } from './platform/random.ts';
import { consoleLogger } from './platform/logger.ts';
import { createKnownPeers, type KnownPeers } from './platform/known-peers.ts';
import { createMemoryStorage } from './platform/storage.ts';
import { commonAddress } from './protostub/common-address.ts';
import type { Protostub } from './protostub/protostub.ts';
import { Registrar } from './registry/registrar.ts';
import { reportOf } from './report.ts';
import { DomainServices } from './service/services.ts';
import type { Hosted, RuntimeOptions, RuntimeReport } from './runtime-types.ts';

/** Hosts hyperties of one owner on one device. */
export class Runtime {
  readonly address: RuntimeAddress;
  /** The services of domains: to call, to follow, and, for their own accounts, to serve. */
  readonly services: DomainServices;
  readonly #bus: Bus;
  readonly #links: Links;
  readonly #peers: KnownPeers;
  readonly #protostubs: Set<Protostub>;
  readonly #hosted = new Map<HypertyAddress, HostedActor>();
  readonly #hostDeps: HostDeps;
  readonly #durables: DurableHyperties | undefined;
  readonly #registrar: Registrar | undefined;
  #state: 'new' | 'started' | 'stopped' = 'new';
  readonly #started = Promise.withResolvers<undefined>();
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: RuntimeOptions) {
    const { protostubs, clock = systemClock, logger = consoleLogger } = options;
    this.address = commonAddress(protostubs);
    this.#started.promise.catch(() => undefined); // whoever waits for it hears of it
    this.#protostubs = new Set(protostubs);
    const ids = createIdSource({ now: () => clock.now(), random: options.random ?? randomBytes });
    const { deadLetterCapacity = 1000, tracing } = options;
    this.#bus = new Bus({ clock, ids, deadLetterCapacity, tracing });
    this.#peers = createKnownPeers(options.storage ?? createMemoryStorage(), logger);
    const life = ids.hex(32);
    this.#bus.bind(this.address, createRuntimeEndpoint({ address: this.address, bus: this.#bus }));
    const logEscalation = (address: HypertyAddress, error: FabricError): void => {
      logger.error({ address, error: error.cause ?? error }, 'hyperty stopped: it crashed too often');
    };
    this.#hostDeps = {
      bus: this.#bus,
      logger,
      escalate: options.onEscalation ?? logEscalation,
      ended: (address) => {
        this.#hosted.delete(address);
        this.#registrar?.remove(address);
      },
    };
    this.services = new DomainServices({ self: this.address, bus: this.#bus, logger });
    const parts = { ...this.#hostDeps, self: this.address, services: this.services };
    if (options.registry) this.#registrar = new Registrar(parts, options.registry);
    const { store, durable: settings } = options;
    const stop = (): void => void this.stop({ drainMs: 0 });
    if (store) this.#durables = createDurables({ ...parts, store, life, settings, stop });
    this.#links = createLinks({
      self: this.address,
      bus: this.#bus,
      logger,
      settings: { ...defaultLinkSettings, ...options.links },
      peers: this.#peers,
      life,
      store: () => this.#durables?.epoch,
      knownStores: this.#durables?.knownStores,
    });
  }

  /** Stages that every envelope passes on its way out. */
  get outgoing(): Pick<Pipeline, 'use'> {
    return this.#bus.outgoing;
  }
  /** Stages that every envelope passes on its way in. */
  get incoming(): Pick<Pipeline, 'use'> {
    return this.#bus.incoming;
  }
  /** What could neither be delivered nor given back. */
  get deadLetters(): DeadLetterLog {
    return this.#bus.deadLetters;
  }

  /** Connects all protostubs. @throws FabricError of the first that cannot, after stopping the others */
  async start(): Promise<void> {
    if (this.#state === 'stopped')
      throw new TypeError('A stopped runtime cannot be started again; create a new one.');
    await (this.#starting ??= this.#start());
  }

  async #start(): Promise<void> {
    this.#state = 'started';
    this.#bus.connect(this.#links);
    try {
      await this.#durables?.start(); // before the links say which store we have, and anything comes in
      for (const protostub of this.#protostubs) this.#links.addPath(protostub);
      this.#started.resolve(undefined);
      await Promise.all([...this.#protostubs].map((protostub) => protostub.start()));
    } catch (caught) {
      await this.stop({ drainMs: 0 });
      throw FabricError.from(caught);
    }
    this.#registrar?.start();
    this.#links.greet(await this.#peers.list());
  }

  /**
   * Stops: hyperties first, then what they still had to say is sent (at most `drainMs`, default 2 s), then the links
   * close in order, then the protostubs. Idempotent.
   */
  stop({ drainMs = 2000 }: { readonly drainMs?: number } = {}): Promise<void> {
    return (this.#stopping ??= this.#stop(drainMs));
  }

  async #stop(drainMs: number): Promise<void> {
    this.#state = 'stopped';
    this.#started.reject(new FabricError('closed', 'The runtime has been stopped.'));
    const leaving = this.#registrar?.stop(drainMs);
    for (const hosted of this.hosted()) hosted.stop();
    await this.#durables?.pause();
    if (leaving) await leaving;
    this.#bus.close();
    const error = new FabricError('closed', `The runtime ${this.address} has been stopped.`);
    if (drainMs > 0) await this.#links.drain(drainMs);
    this.#bus.stop(error);
    await this.#links.stop(error);
    await Promise.all([...this.#protostubs].map((protostub) => protostub.stop()));
    await this.#durables?.stop();
    await this.#peers.flush();
  }

  /**
   * Adds a road while running; `first` prefers it to the others, and links move to it without loss.
   * @returns its removal, which moves links back and stops the protostub
   * @throws FabricError `closed` when the runtime has been stopped, or the protostub's, which is removed then
   */
  async addProtostub(protostub: Protostub, options: { readonly first?: boolean } = {}): Promise<() => void> {
    this.#checkNotStopped();
    commonAddress([protostub, ...this.#protostubs]);
    const undo = this.#links.addPath(protostub, options);
    this.#protostubs.add(protostub);
    const remove = (): void => {
      undo();
      this.#protostubs.delete(protostub);
      void protostub.stop();
    };
    await protostub.start().catch((caught: unknown) => {
      remove();
      throw FabricError.from(caught);
    });
    return remove;
  }

  /**
   * Hosts a hyperty at `hyperty://<domain>/<owner>/<name>`; its machine starts at once. A durable one goes on where it
   * stood, or is made when the store has none, as soon as the runtime has started; stopping it ends it for good.
   * @throws FabricError `conflict` when the name is taken, `closed` when the runtime has been stopped
   * @throws TypeError for a durable one in a runtime without a store
   */
  host<A extends EventSchemas, E extends EventSchemas, M extends AnyActorLogic, X>(
    definition: HypertyDefinition<A, E, M, X>,
    options: HostOptions = {},
  ): Hosted<A, E, X> {
    this.#checkNotStopped();
    const address = this.#addressOf(options.name ?? definition.descriptor.name);
    const peer = definition.at(address);
    if (definition.durable) return this.#durableHost(definition).host(peer, definition, options);
    const actor = new HostedActor({ address, definition, options }, this.#hostDeps);
    if (actor.status === 'running' || actor.status === 'restarting') {
      this.#hosted.set(address, actor);
      this.#registrar?.add(address, definition.descriptor);
    }
    return Object.assign(actor, { peer });
  }

  /**
   * Hosts all durable hyperties of a definition: those that the store has, and those that are made later. Most of them
   * are not in memory; a message or a timer wakes them.
   * @throws FabricError `conflict` when another durable definition of that name is hosted
   * @throws TypeError when the definition is not durable, or the runtime has no store
   */
  hostKind<A extends EventSchemas, E extends EventSchemas, M extends AnyActorLogic, X>(
    definition: HypertyDefinition<A, E, M, X>,
    options: Omit<HostOptions, 'name' | 'input'> = {},
  ): HostedKind<A, E, X> {
    this.#checkNotStopped();
    return this.#durableHost(definition).hostKind(definition, options);
  }

  /** Messages set aside because their durable hyperty crashed at them each time: of one hyperty, or of all. */
  async parked(address?: string): Promise<readonly ParkedMessage[]> {
    return (
      (await this.#durables?.parking.list(address === undefined ? undefined : parseAddress(address))) ?? []
    );
  }

  /** What the store has of durable hyperties, those that are not in memory too; undefined without a store. @throws FabricError `storage` */
  async inspectDurable(): Promise<DurableReport | undefined> {
    return this.#durables?.report();
  }

  /** Puts a parked message back into its mailbox, or drops it for good. @throws FabricError `not-found storage` */
  async unpark(message: Pick<ParkedMessage, 'address' | 'place'>, then: 'retry' | 'drop'): Promise<void> {
    if (!this.#durables)
      throw new FabricError('not-found', 'Nothing is parked in a runtime without a store.');
    await this.#durables.parking.unpark(message, then);
  }

  /** The hyperties that run here. */
  hosted(): readonly HostedActor[] {
    return [...this.#hosted.values()];
  }

  /**
   * A reference to a hyperty anywhere: an XState actor that takes the events which the hyperty accepts. It follows the
   * hyperty's snapshot from the first time it is observed. Stop it when it is no longer needed.
   */
  remote<A extends EventSchemas, E extends EventSchemas, X>(peer: Peer<A, E, X>): RemoteRef<A, E, X> {
    const { bus, logger } = this.#hostDeps;
    return createRemoteRef(peer, createSpeaker({ address: this.address, bus, logger }));
  }

  /**
   * Asks a hyperty and waits for its answer. With a peer (`definition.at(address)`) question and answer are typed and
   * checked; with a bare address they are not.
   * @throws FabricError `schema not-found no-route offline timeout cancelled mailbox-full conflict crashed closed too-large …`
   */
  ask<A extends EventSchemas, E extends EventSchemas>(
    peer: Peer<A, E>,
    event: Sent<A>,
    options?: AskOptions,
  ): Promise<Parsed<E>>;
  ask(address: string, event: UntypedEvent, options?: AskOptions): Promise<unknown>;
  ask(to: Question['to'], event: unknown, options: AskOptions = {}): Promise<unknown> {
    return askPeer(this.#bus, { from: this.address, to, event: event as UntypedEvent, options });
  }

  /** The state of hyperties and links, for people and monitors. */
  inspect(): RuntimeReport {
    const parts = { address: this.address, bus: this.#bus, links: this.#links, durables: this.#durables };
    return reportOf({ ...parts, hosted: this.hosted() });
  }

  #checkNotStopped(): void {
    if (this.#state === 'stopped') throw new FabricError('closed', 'The runtime has been stopped.');
  }

  #addressOf(name: string): HypertyAddress {
    const { domain, owner } = runtimeParts(this.address);
    return hypertyAddress({ domain, owner, name });
  }

  #durableHost({ descriptor }: Pick<HypertyDefinition, 'descriptor'>): DurableHost {
    const durables = this.#durables;
    if (!durables)
      throw new TypeError(
        `"${descriptor.name}" is durable, and needs a runtime with a store: createRuntime({ store }).`,
      );
    const addressOf = (name: string): HypertyAddress => this.#addressOf(name);
    return new DurableHost({
      durables,
      logger: this.#hostDeps.logger,
      addressOf,
      started: this.#started.promise,
      registrar: this.#registrar,
    });
  }
}

/** Creates a runtime; nothing runs and nothing is connected before {@link Runtime.start}. @throws TypeError */
export const createRuntime = (options: RuntimeOptions): Runtime => new Runtime(options);
