/**
 * A hosted hyperty: one root actor behind a mailbox, supervised. Turns envelopes into validated events, answers for
 * the machine, publishes its exposed snapshot, and tells those who asked when it crashed or stopped. It does no
 * routing; the bus does.
 */
import { createActor, type AnyActorRef } from 'xstate';
import type { Bus, Draft } from '../bus/bus.ts';
import type { Endpoint } from '../bus/endpoint.ts';
import { Mailbox } from '../bus/mailbox.ts';
import type { Address, HypertyAddress } from '../message/address.ts';
import {
  errorBody,
  headerOf,
  MAX_ID_CHARS,
  valueBody,
  type Envelope,
  type EnvelopeHeader,
} from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import { childTrace } from '../message/trace.ts';
import type { Timer } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { canTake, wrongState } from './acceptance.ts';
import { attachFabric, type FabricContext } from './context.ts';
import type { HostDeps, HostedStatus, Hosting } from './hosting.ts';
import { parseEvent } from './hyperty.ts';
import { OpenRequests } from './open-requests.ts';
import { exposedSnapshot, Publisher } from './publisher.ts';
import type { ExposedSnapshot } from './subscribers.ts';
import { stopChildren } from './children.ts';
import { createSupervisor, type Supervisor } from './supervision.ts';

type MachineEvent = { readonly type: string } & { readonly envelope: EnvelopeHeader };

interface Work {
  readonly envelope: Envelope;
  /** The event for the machine; undefined for what the host itself answers. */
  readonly event: MachineEvent | undefined;
}

/** Updates that a subscriber has not taken within this time end its subscription. */
const UPDATE_TTL_MS = 60_000;

/** One hosted hyperty. */
export class HostedActor implements Endpoint, FabricContext {
  readonly address: HypertyAddress;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly #hosting: Hosting;
  readonly #deps: HostDeps;
  readonly #mailbox: Mailbox<Work>;
  readonly #unbind: () => void;
  #supervisor: Supervisor | undefined;
  #publisher: Publisher | undefined;
  #open: OpenRequests | undefined;
  #actor: AnyActorRef;
  #status: HostedStatus = 'running';
  #current: Envelope | undefined;
  #congestion: Promise<void> | undefined;
  #restart: Timer;

  /** Starts the hyperty. @throws FabricError `conflict` when the address is taken */
  constructor(hosting: Hosting, deps: HostDeps) {
    this.address = hosting.address;
    this.bus = deps.bus;
    this.logger = deps.logger;
    this.#hosting = hosting;
    this.#deps = deps;
    this.#mailbox = new Mailbox(hosting.options.mailboxCapacity ?? 4096, (work) => this.#process(work));
    this.#unbind = deps.bus.bind(hosting.address, this);
    this.#actor = this.#create();
    this.#actor.start();
  }

  /** Running, waiting for its restart, finished, or stopped. */
  get status(): HostedStatus {
    return this.#status;
  }

  /** The XState actor as it runs now; a restart replaces it. */
  get actor(): AnyActorRef {
    return this.#actor;
  }

  /** Messages waiting in the mailbox. */
  get mailboxDepth(): number {
    return this.#mailbox.depth;
  }

  /** Stops the hyperty: its address is free again, who waits for an answer gets `closed`. Idempotent. */
  stop(): void {
    if (this.#status === 'stopped' || this.#status === 'done') return;
    this.#end(
      'stopped',
      { status: 'stopped' },
      new FabricError('closed', `${this.address} has been stopped.`),
    );
    this.#actor.stop();
  }

  receive(envelope: Envelope): void | Promise<void> {
    return this.#mailbox.push({ envelope, event: this.#admit(envelope) });
  }

  undeliverable(envelope: Envelope): void {
    if (envelope.re !== undefined) this.#publisher?.remove(envelope.re, envelope.to);
  }

  /** What the machine itself sends holds its mailbox back while the road to the receiver is congested. */
  post(draft: Omit<Draft, 'from'>): void {
    const congestion = this.#say(draft);
    if (congestion)
      this.#congestion = this.#congestion ? this.#congestion.then(() => congestion) : congestion;
  }

  /** Answers and updates hold nothing back: one peer that does not take them must not stop it for the others. */
  #say(draft: Omit<Draft, 'from'>): void | Promise<void> {
    const parent = this.#current?.trace;
    const trace =
      parent === undefined ? {} : { trace: childTrace(parent, (digits) => this.bus.ids.hex(digits)) };
    return this.bus.post({ ...draft, ...trace, from: this.address });
  }

  answer(request: EnvelopeHeader, event: unknown, provisional: boolean): void {
    if (!this.#open?.has(request)) return;
    if (!provisional) this.#open.remove(request);
    try {
      const value = parseEvent(this.#hosting.definition.emits, event, `Answer of ${this.address}`);
      this.#respond(request, valueBody(value, provisional ? 102 : 200));
    } catch (caught) {
      this.#open.remove(request);
      this.logger.error(
        { address: this.address, error: caught },
        'an answer breaks the schema of its hyperty',
      );
      this.#respond(request, errorBody(FabricError.from(caught)));
    }
  }

  #admit(envelope: Envelope): MachineEvent | undefined {
    const { type, body } = envelope;
    if (type === 'event' || type === 'execute') {
      return Object.assign(parseEvent(this.#hosting.definition.accepts, body, this.address), {
        envelope: headerOf(envelope),
      });
    }
    if (type === 'read' || type === 'subscribe' || type === 'unsubscribe') return undefined;
    const text = `${this.address} does not understand messages of type "${type}".`;
    throw new FabricError('unsupported', text, { details: { type } });
  }

  #process({ envelope, event }: Work): void | Promise<void> {
    this.#current = envelope;
    if (event) this.#handle(envelope, event);
    else this.#observe(envelope);
    this.#current = undefined;
    const congestion = this.#congestion;
    this.#congestion = undefined;
    return congestion;
  }

  #handle(envelope: Envelope, event: MachineEvent): void {
    if (envelope.type === 'execute') {
      if (!canTake(this.#actor, event)) {
        this.#respond(envelope, errorBody(wrongState(this.address, event.type, this.#actor)));
        return;
      }
      this.#open ??= new OpenRequests();
      this.#open.add(event.envelope, this.bus.clock.now());
    }
    this.#actor.send(event);
  }

  #observe(envelope: Envelope): void {
    const { id, from, type, body } = envelope;
    const given = (body as { subscription?: unknown } | undefined)?.subscription;
    const subscription = typeof given === 'string' && given.length <= MAX_ID_CHARS ? given : id;
    if (type === 'unsubscribe') {
      this.#publisher?.remove(subscription, from);
      return;
    }
    try {
      if (type === 'subscribe') this.#published().add(subscription, from);
      this.#respond(envelope, valueBody(this.#exposed()));
    } catch (caught) {
      const error = caught instanceof FabricError ? caught : crash(this.address, caught);
      if (error !== caught)
        this.logger.error({ address: this.address, error: caught }, 'what a hyperty exposes cannot be shown');
      this.#respond(envelope, errorBody(error));
    }
  }

  /** The publisher; it follows the actor from the first subscription on. */
  #published(): Publisher {
    if (this.#publisher) return this.#publisher;
    const { definition, options } = this.#hosting;
    const { clock } = this.bus;
    this.#publisher = new Publisher({
      address: this.address,
      emits: definition.emits,
      expose: definition.expose,
      capacity: options.maxSubscribers ?? 10_000,
      logger: this.logger,
      now: () => clock.now(),
      publish: (publication) => {
        void this.#say({ ...publication, deadline: clock.now() + UPDATE_TTL_MS });
      },
    });
    this.#publisher.follow(this.#actor);
    return this.#publisher;
  }

  #exposed(): ExposedSnapshot {
    return exposedSnapshot(this.#actor, this.#hosting.definition.expose);
  }

  #create(): AnyActorRef {
    const { definition, options } = this.#hosting;
    const actor: AnyActorRef = createActor(definition.machine, {
      input: options.input,
      clock: this.bus.clock,
    });
    attachFabric(actor.system, this);
    actor.subscribe({
      error: (thrown: unknown) => {
        this.#crashed(thrown);
      },
      complete: () => {
        this.#completed();
      },
    });
    return actor;
  }

  #completed(): void {
    if (this.#status !== 'running') return;
    this.#publisher?.show(this.#actor);
    this.#end('done', undefined, new FabricError('closed', `${this.address} has finished.`));
  }

  #crashed(thrown: unknown): void {
    if (this.#status !== 'running') return;
    const error = crash(this.address, thrown);
    this.logger.error({ address: this.address, error: thrown }, 'a hyperty crashed');
    stopChildren(this.#actor);
    this.#failOpen(error);
    this.#supervisor ??= createSupervisor(this.#hosting.options.supervision);
    const verdict = this.#supervisor(this.bus.clock.now());
    if (typeof verdict === 'object') {
      this.#restartIn(verdict.restartInMs);
      return;
    }
    this.#end('stopped', { status: 'error' }, error);
    if (verdict === 'escalate') this.#deps.escalate(this.address, error);
  }

  #restartIn(delayMs: number): void {
    this.#status = 'restarting';
    this.#mailbox.pause();
    this.#restart = this.bus.clock.setTimeout(() => {
      this.#status = 'running';
      this.#actor = this.#create();
      this.#publisher?.follow(this.#actor);
      this.#actor.start();
      if (this.status !== 'running') return; // it has crashed again already
      this.#publisher?.show(this.#actor);
      this.#mailbox.resume();
    }, delayMs);
  }

  #end(status: 'done' | 'stopped', last: ExposedSnapshot | undefined, reason: FabricError): void {
    this.#status = status;
    this.bus.clock.clearTimeout(this.#restart);
    this.#unbind();
    this.#failOpen(reason);
    if (last) this.#publisher?.end(last);
    for (const { envelope } of this.#mailbox.clear()) this.#respond(envelope, errorBody(reason));
    this.#deps.ended(this.address);
  }

  #failOpen(error: FabricError): void {
    for (const header of this.#open?.clear() ?? []) this.#respond(header, errorBody(error));
  }

  #respond({ id, from }: { readonly id: string; readonly from: Address }, body: unknown): void {
    void this.#say({ to: from, type: 'response', re: id, body });
  }
}

/** The thrown text stays inside the runtime: it may hold private data. */
const crash = (address: string, thrown: unknown): FabricError =>
  new FabricError(
    'crashed',
    `${address} failed while it handled a message; its owner finds the reason in the log.`,
    {
      cause: thrown,
    },
  );
