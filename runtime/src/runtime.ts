/**
 * The runtime: hosts hyperties of one owner on one device and joins bus, links and protostubs. The only file that
 * wires the parts. It knows no Matrix and nothing of Node.js.
 */
import type { AnyActorLogic } from 'xstate';
import { askPeer, type AskOptions, type Question, type UntypedEvent } from './actor/ask.ts';
import type { FabricContext } from './actor/context.ts';
import { HostedActor } from './actor/hosted-actor.ts';
import { inquire } from './actor/inquiry.ts';
import type { HostDeps, HostOptions } from './actor/hosting.ts';
import type { EventSchemas, HypertyDefinition, Parsed, Peer, Sent } from './actor/hyperty.ts';
import { createRemoteRef, type RemoteRef } from './actor/remote.ts';
import { Bus } from './bus/bus.ts';
import type { DeadLetterLog } from './bus/dead-letters.ts';
import type { Pipeline } from './bus/pipeline.ts';
import type { LinkReport } from './link/link.ts';
import { Links } from './link/links.ts';
import { createPeerStores } from './link/peer-memory.ts';
import { createThrottle } from './link/throttle.ts';
import { defaultLinkSettings, type LinkSettings } from './link/settings.ts';
import { hypertyAddress, runtimeParts, type HypertyAddress, type RuntimeAddress } from './message/address.ts';
import { errorBody, valueBody, type Envelope } from './message/envelope.ts';
import { FabricError } from './message/error.ts';
import { createIdSource, type IdSource } from './message/id.ts';
import { systemClock, type Clock } from './platform/clock.ts';
import { randomBytes } from './platform/random.ts';
import { consoleLogger, type Logger } from './platform/logger.ts';
import { createKnownPeers, type KnownPeers } from './platform/known-peers.ts';
import { createMemoryStorage, type KeyValueStorage } from './platform/storage.ts';
import { commonAddress } from './protostub/common-address.ts';
import type { Protostub } from './protostub/protostub.ts';

/** What a runtime is made of. */
export interface RuntimeOptions {
  /** Roads to other runtimes, preferred ones first. All must give the runtime the same address. At least one. */
  readonly protostubs: readonly [Protostub, ...Protostub[]];
  readonly clock?: Clock;
  readonly random?: (bytes: number) => Uint8Array;
  readonly logger?: Logger;
  /** Where known peers are remembered. Default: only in memory. */
  readonly storage?: KeyValueStorage;
  readonly links?: Partial<LinkSettings>;
  /** Dead letters that are kept. Default 1,000. */
  readonly deadLetterCapacity?: number;
  /** Told when a hyperty has used up its restarts. Default: logged as an error. */
  readonly onEscalation?: (address: HypertyAddress, error: FabricError) => void;
}

/** A hyperty that runs here. */
export interface Hosted<
  A extends EventSchemas = EventSchemas,
  E extends EventSchemas = EventSchemas,
  X = unknown,
> extends Pick<HostedActor, 'status' | 'mailboxDepth' | 'actor' | 'stop'> {
  readonly address: HypertyAddress;
  /** Address and schemas, for typed references. */
  readonly peer: Peer<A, E, X>;
}

/** What `inspect` tells of a runtime. */
export interface RuntimeReport {
  readonly address: RuntimeAddress;
  readonly hyperties: readonly {
    readonly address: HypertyAddress;
    readonly status: string;
    readonly mailboxDepth: number;
  }[];
  readonly links: readonly LinkReport[];
  readonly pendingRequests: number;
  readonly deadLetters: number;
}

/** Strangers decide how much junk comes in, not how much is logged. */
const MAX_WARNINGS_PER_SECOND = 5;

/** Hosts hyperties of one owner on one device. */
export class Runtime {
  readonly address: RuntimeAddress;
  readonly #bus: Bus;
  readonly #links: Links;
  readonly #peers: KnownPeers;
  readonly #protostubs: Set<Protostub>;
  readonly #hosted = new Map<HypertyAddress, HostedActor>();
  readonly #hostDeps: HostDeps;
  readonly #clock: Clock;
  #state: 'new' | 'started' | 'stopped' = 'new';
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: RuntimeOptions) {
    const { protostubs, clock = systemClock, logger = consoleLogger } = options;
    this.address = commonAddress(protostubs);
    this.#protostubs = new Set(protostubs);
    this.#clock = clock;
    const ids = createIdSource({ now: () => clock.now(), random: options.random ?? randomBytes });
    this.#bus = new Bus({ clock, ids, deadLetterCapacity: options.deadLetterCapacity ?? 1000 });
    this.#peers = createKnownPeers(options.storage ?? createMemoryStorage(), logger);
    this.#links = this.#createLinks(ids, logger, { ...defaultLinkSettings, ...options.links });
    this.#bus.bind(this.address, { receive: (envelope) => this.#receive(envelope) });
    const logEscalation = (address: HypertyAddress, error: FabricError): void => {
      logger.error({ address, error: error.cause ?? error }, 'hyperty stopped: it crashed too often');
    };
    this.#hostDeps = {
      bus: this.#bus,
      logger,
      escalate: options.onEscalation ?? logEscalation,
      ended: (address) => this.#hosted.delete(address),
    };
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
    for (const protostub of this.#protostubs) this.#links.addPath(protostub);
    try {
      await Promise.all([...this.#protostubs].map((protostub) => protostub.start()));
    } catch (caught) {
      await this.stop({ drainMs: 0 });
      throw FabricError.from(caught);
    }
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
    for (const hosted of this.hosted()) hosted.stop();
    this.#bus.close();
    const error = new FabricError('closed', `The runtime ${this.address} has been stopped.`);
    if (drainMs > 0) await this.#links.drain(drainMs);
    this.#bus.stop(error);
    await this.#links.stop(error);
    await Promise.all([...this.#protostubs].map((protostub) => protostub.stop()));
    await this.#peers.flush();
  }

  /**
   * Adds a road while running; `first` prefers it to the others, and links move to it without loss.
   * @returns its removal, which moves links back and stops the protostub
   * @throws FabricError `closed` when the runtime has been stopped, or the protostub's, which is removed then
   */
  async addProtostub(protostub: Protostub, options: { readonly first?: boolean } = {}): Promise<() => void> {
    if (this.#state === 'stopped') throw new FabricError('closed', 'The runtime has been stopped.');
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
   * Hosts a hyperty at `hyperty://<domain>/<owner>/<name>`; its machine starts at once.
   * @throws FabricError `conflict` when the name is taken, `closed` when the runtime has been stopped
   */
  host<A extends EventSchemas, E extends EventSchemas, M extends AnyActorLogic, X>(
    definition: HypertyDefinition<A, E, M, X>,
    options: HostOptions = {},
  ): Hosted<A, E, X> {
    if (this.#state === 'stopped')
      throw new FabricError('closed', 'The runtime has been stopped; it hosts nothing any more.');
    const { domain, owner } = runtimeParts(this.address);
    const address = hypertyAddress({ domain, owner, name: options.name ?? definition.descriptor.name });
    const actor = new HostedActor({ address, definition, options }, this.#hostDeps);
    if (actor.status === 'running' || actor.status === 'restarting') this.#hosted.set(address, actor);
    return Object.assign(actor, { peer: definition.at(address) });
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
    return createRemoteRef(peer, this.#speaker());
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
    return {
      address: this.address,
      hyperties: this.hosted().map(({ address, status, mailboxDepth }) => ({
        address,
        status,
        mailboxDepth,
      })),
      links: this.#links.reports(),
      pendingRequests: this.#bus.pendingRequests,
      deadLetters: this.#bus.deadLetters.total,
    };
  }

  #createLinks(ids: IdSource, logger: Logger, settings: LinkSettings): Links {
    const bus = this.#bus;
    const warnings = createThrottle(MAX_WARNINGS_PER_SECOND, () => this.#clock.now());
    return new Links({
      self: this.address,
      clock: this.#clock,
      logger,
      settings,
      life: ids.hex(32),
      store: () => undefined,
      ...createPeerStores(logger),
      hex: (digits) => ids.hex(digits),
      isHosted: (address) => bus.isLocal(address),
      onPeer: (peer) => {
        this.#peers.add(peer);
      },
      deliver: (envelope, origin) => bus.accept(envelope, origin),
      kept: (envelope) => {
        bus.kept(envelope);
      },
      interrupted: (peer) => {
        bus.interrupted(peer);
      },
      refuse: (envelope, error) => {
        bus.refuse(envelope, error);
      },
      undeliverable: (envelope, error) => {
        bus.undeliverable(envelope, error);
      },
      reject: (error, envelope) => {
        if (warnings.take()) logger.warn({ error }, 'an inbound frame or message was dropped');
        if (envelope) bus.deadLetters.add(envelope, error);
      },
    });
  }

  /** The runtime itself answers `read`, so that anybody can measure the way to it. */
  #receive({ id, from, type }: Envelope): void {
    const answer = { from: this.address, to: from, type: 'response', re: id };
    if (type === 'read') void this.#bus.post({ ...answer, body: valueBody({ time: this.#clock.now() }) });
    else
      void this.#bus.post({
        ...answer,
        body: errorBody(new FabricError('unsupported', `A runtime does not understand "${type}".`)),
      });
  }

  /** Who speaks through references made outside a hyperty: the runtime. */
  #speaker(): FabricContext {
    return {
      address: this.address,
      bus: this.#bus,
      logger: this.#hostDeps.logger,
      post: (draft) => void this.#bus.post({ ...draft, from: this.address }),
      ask: (inquiry) => inquire({ bus: this.#bus, address: this.address }, inquiry),
      afterCommit: (run) => run(),
      turn: (run) => run(),
      answer: () => {
        throw new TypeError('Only a hosted hyperty can answer.');
      },
    };
  }
}

/** Creates a runtime; nothing runs and nothing is connected before {@link Runtime.start}. @throws TypeError */
export const createRuntime = (options: RuntimeOptions): Runtime => new Runtime(options);
