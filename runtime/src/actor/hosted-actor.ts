/**
 * A hosted hyperty: one root actor behind a mailbox, supervised. Turns envelopes into validated events, answers for
 * the machine, publishes its exposed snapshot, and tells those who asked when it crashed or stopped. It does no
 * routing; the bus does.
 */
import { createActor, type AnyActorLogic, type AnyActorRef } from 'xstate';
import type { Bus, Draft, Endpoint } from '../bus/bus.ts';
import { Mailbox } from '../bus/mailbox.ts';
import type { HypertyAddress } from '../message/address.ts';
import { errorBody, valueBody, type Envelope, type EnvelopeHeader } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import { childTrace } from '../message/trace.ts';
import type { Timer } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { attachFabric, type FabricContext } from './context.ts';
import { parseEvent, type HypertyDefinition } from './hyperty.ts';
import { createSupervisor, type SupervisionOptions, type Supervisor } from './supervision.ts';
import { Subscribers, type ExposedSnapshot } from './subscribers.ts';

/** Limits and treatment of one hosted hyperty. */
export interface HostOptions {
  /** Last segment of its address. Default: the descriptor's name. */
  readonly name?: string;
  /** XState input of its machine. */
  readonly input?: unknown;
  /** Messages that may wait. Default 4,096, twice what one link lets a peer send unhandled. */
  readonly mailboxCapacity?: number;
  /** Peers that may subscribe. Default 10,000. */
  readonly maxSubscribers?: number;
  readonly supervision?: SupervisionOptions;
}

/** What a hosted actor needs from its runtime. */
export interface HostDeps {
  readonly bus: Bus;
  readonly logger: Logger;
  /** Called when restarts are used up and supervision says `escalate`. */
  readonly escalate: (address: HypertyAddress, error: FabricError) => void;
}

/** State of a hosted hyperty. */
export type HostedStatus = 'running' | 'restarting' | 'done' | 'stopped';

type AnyHypertyDefinition = Pick<HypertyDefinition, 'descriptor' | 'accepts' | 'emits'> & {
  readonly machine: AnyActorLogic;
  readonly expose: (snapshot: never) => unknown;
};

interface Work {
  readonly envelope: Envelope;
  readonly event: { readonly type: string } | undefined;
}

const headerOf = ({ id, from, to, type, deadline, trace }: Envelope): EnvelopeHeader => ({
  id, from, to, type, ...(deadline === undefined ? {} : { deadline }), ...(trace === undefined ? {} : { trace }),
}); // prettier-ignore

/** One hosted hyperty. */
export class HostedActor implements Endpoint, FabricContext {
  readonly address: HypertyAddress;
  readonly definition: AnyHypertyDefinition;
  readonly bus: Bus;
  readonly #deps: HostDeps;
  readonly #options: HostOptions;
  readonly #mailbox: Mailbox<Work>;
  readonly #unbind: () => void;
  #supervisor: Supervisor | undefined;
  #subscribers: Subscribers | undefined;
  #open: Map<string, EnvelopeHeader> | undefined;
  #actor: AnyActorRef;
  #status: HostedStatus = 'running';
  #current: Envelope | undefined;
  #congestion: Promise<void> | undefined;
  #restart: Timer;

  /** Starts the hyperty. @throws FabricError `conflict` when the address is taken, `crashed` when it fails at once */
  constructor(address: HypertyAddress, definition: AnyHypertyDefinition, options: HostOptions, deps: HostDeps) {
    this.address = address;
    this.definition = definition;
    this.bus = deps.bus;
    this.#deps = deps;
    this.#options = options;
    this.#mailbox = new Mailbox(options.mailboxCapacity ?? 4096, (work) => this.#process(work));
    this.#unbind = deps.bus.bind(address, this);
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
    if (this.#status === 'stopped') return;
    this.#end('stopped', { status: 'stopped' }, closed(this.address));
    this.#actor.stop();
  }

  receive(envelope: Envelope): void | Promise<void> {
    return this.#mailbox.push({ envelope, event: this.#admit(envelope) });
  }

  undeliverable(envelope: Envelope): void {
    if (envelope.re !== undefined) this.#subscribers?.remove(envelope.re, envelope.to);
  }

  post(draft: Omit<Draft, 'from'>): void {
    const parent = this.#current?.trace;
    const trace = parent === undefined ? {} : { trace: childTrace(parent, (digits) => this.bus.ids.hex(digits)) };
    const congestion = this.bus.post({ ...draft, ...trace, from: this.address });
    if (congestion) this.#congestion = this.#congestion ? this.#congestion.then(() => congestion) : congestion;
  }

  answer(request: EnvelopeHeader, event: unknown, provisional: boolean): void {
    if (!this.#open?.has(request.id)) return;
    const answer = { to: request.from, type: 'response', re: request.id };
    if (!provisional) this.#open.delete(request.id);
    try {
      const value = parseEvent(this.definition.emits, event, `Answer of ${this.address}`);
      this.post({ ...answer, body: valueBody(value, provisional ? 102 : 200) });
    } catch (caught) {
      this.#deps.logger.error({ address: this.address, error: caught }, 'answer breaks the schema of the hyperty');
      this.#open.delete(request.id);
      this.post({ ...answer, body: errorBody(FabricError.from(caught)) });
    }
  }

  #admit(envelope: Envelope): Work['event'] {
    switch (envelope.type) {
      case 'event':
      case 'execute': {
        const event = parseEvent(this.definition.accepts, envelope.body, this.address);
        return { ...event, envelope: headerOf(envelope) } as Work['event'];
      }
      case 'read':
      case 'subscribe':
      case 'unsubscribe':
        return undefined;
      default:
        throw new FabricError('unsupported', `${this.address} does not understand messages of type "${envelope.type}".`, {
          details: { type: envelope.type },
        });
    }
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

  #handle(envelope: Envelope, event: { readonly type: string }): void {
    if (envelope.type === 'execute') {
      if (!canTake(this.#actor, event)) {
        this.#fail(envelope, wrongState(this.address, event.type, this.#actor));
        return;
      }
      this.#open ??= new Map();
      this.#forgetOverdue(this.#open);
      this.#open.set(envelope.id, (event as unknown as { envelope: EnvelopeHeader }).envelope);
    }
    this.#actor.send(event);
  }

  #observe({ id, from, type, body }: Envelope): void {
    const given = (body as { subscription?: unknown } | undefined)?.subscription;
    const subscription = typeof given === 'string' ? given : id;
    this.#subscribers ??= this.#createSubscribers();
    if (type === 'unsubscribe') this.#subscribers.remove(subscription, from);
    else if (type === 'subscribe') {
      try {
        this.#subscribers.add(subscription, from, this.bus.clock.now());
      } catch (caught) {
        this.post({ to: from, type: 'response', re: id, body: errorBody(FabricError.from(caught)) });
        return;
      }
    }
    this.post({ to: from, type: 'response', re: id, body: valueBody(this.#exposed()) });
  }

  #createSubscribers(): Subscribers {
    const subscribers = new Subscribers(this.#options.maxSubscribers ?? 10_000, (to, re, type, body) => {
      this.post({ to, re, type, body, deadline: this.bus.clock.now() + 60_000 });
    });
    this.#publishTo(subscribers);
    return subscribers;
  }

  #publishTo(subscribers: Subscribers): void {
    const actor = this.#actor;
    actor.subscribe({ next: () => { subscribers.update(this.#exposed(), this.bus.clock.now()); }, error: () => undefined }); // prettier-ignore -- crashes are handled by the host's own observer
    actor.on('*', (event: unknown) => { this.#emit(subscribers, event); }); // prettier-ignore
  }

  #emit(subscribers: Subscribers, event: unknown): void {
    try {
      subscribers.emit(parseEvent(this.definition.emits, event, `Event of ${this.address}`), this.bus.clock.now());
    } catch (caught) {
      this.#deps.logger.error({ address: this.address, error: caught }, 'emitted event breaks the schema of the hyperty');
    }
  }

  #exposed(): ExposedSnapshot {
    const snapshot = this.#actor.getSnapshot() as { status: ExposedSnapshot['status']; value?: unknown; output?: unknown };
    const context = this.definition.expose(snapshot as never);
    const { status, value, output } = snapshot;
    return { status, ...(value === undefined ? {} : { value }), ...(context === undefined ? {} : { context }), ...(output === undefined ? {} : { output }) }; // prettier-ignore
  }

  #create(): AnyActorRef {
    const { clock } = this.bus;
    const actor: AnyActorRef = createActor(this.definition.machine, { input: this.#options.input, clock });
    attachFabric(actor.system, this);
    actor.subscribe({
      error: (error: unknown) => { this.#crashed(error); }, // prettier-ignore
      complete: () => { this.#completed(); }, // prettier-ignore
    });
    return actor;
  }

  #completed(): void {
    if (this.#status !== 'running') return;
    this.#end('done', this.#exposed(), new FabricError('closed', `${this.address} has finished.`));
  }

  #crashed(thrown: unknown): void {
    if (this.#status !== 'running') return;
    const error = crash(this.address, thrown);
    this.#deps.logger.error({ address: this.address, error: thrown }, 'hyperty crashed');
    this.#failOpen(error);
    this.#supervisor ??= createSupervisor(this.#options.supervision);
    const verdict = this.#supervisor(this.bus.clock.now());
    if (typeof verdict === 'string') {
      this.#end('stopped', { status: 'error' }, error);
      if (verdict === 'escalate') this.#deps.escalate(this.address, error);
      return;
    }
    this.#status = 'restarting';
    this.#mailbox.pause();
    this.#restart = this.bus.clock.setTimeout(() => { this.#restartNow(); }, verdict.restartInMs); // prettier-ignore
  }

  #restartNow(): void {
    this.#status = 'running';
    this.#actor = this.#create();
    if (this.#subscribers) this.#publishTo(this.#subscribers);
    this.#actor.start();
    if (this.#subscribers) this.#subscribers.update(this.#exposed(), this.bus.clock.now());
    this.#mailbox.resume();
  }

  #end(status: 'done' | 'stopped', last: ExposedSnapshot, reason: FabricError): void {
    this.#status = status;
    this.bus.clock.clearTimeout(this.#restart);
    this.#unbind();
    this.#failOpen(reason);
    this.#subscribers?.update(last, this.bus.clock.now());
    for (const { envelope } of this.#mailbox.clear()) this.#fail(envelope, reason);
  }

  #failOpen(error: FabricError): void {
    const open = [...(this.#open?.values() ?? [])];
    this.#open?.clear();
    for (const { id, from } of open) this.post({ to: from, type: 'response', re: id, body: errorBody(error) });
  }

  #fail({ id, from }: Envelope, error: FabricError): void {
    this.post({ to: from, type: 'response', re: id, body: errorBody(error) });
  }

  /** Requests that the machine never answered are forgotten once nobody waits for them, so the table stays small. */
  #forgetOverdue(open: Map<string, EnvelopeHeader>): void {
    if (open.size < 1024) return;
    const now = this.bus.clock.now();
    for (const [id, { deadline }] of open) if (deadline === undefined || deadline < now) open.delete(id);
  }
}

function canTake(actor: AnyActorRef, event: { readonly type: string }): boolean {
  const snapshot = actor.getSnapshot() as { can?: (event: { readonly type: string }) => boolean };
  return snapshot.can?.(event) ?? true;
}

const wrongState = (address: string, type: string, actor: AnyActorRef): FabricError => {
  const state = JSON.stringify((actor.getSnapshot() as { value?: unknown }).value);
  return new FabricError('conflict', `${address} does not take "${type}" in its state ${state}.`, { details: { state } });
};

const closed = (address: string): FabricError => new FabricError('closed', `${address} has been stopped.`);

/** The thrown text stays inside the runtime: it may hold private data. */
const crash = (address: string, thrown: unknown): FabricError =>
  new FabricError('crashed', `${address} failed while it handled a message; its owner finds the reason in its log.`, {
    cause: thrown,
  });
