/**
 * A hosted hyperty: one root actor behind a mailbox, supervised. Turns envelopes into validated events, answers for
 * the machine, publishes its exposed snapshot, and tells those who asked when it crashed or stopped. It does no
 * routing; the bus does.
 */
import { createActor, type AnyActorRef } from 'xstate';
import type { Bus } from '../bus/bus.ts';
import type { Endpoint } from '../bus/endpoint.ts';
import { Mailbox } from '../bus/mailbox.ts';
import type { HypertyAddress } from '../message/address.ts';
import { errorBody, type Envelope, type EnvelopeHeader } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Timer } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { OpenSpan, Tracing } from '../platform/tracing.ts';
import { stopChildren } from './children.ts';
import { attachFabric, type FabricContext, type Inquiry } from './context.ts';
import { crashOf, Dialogue, type MachineEvent, type Saying } from './dialogue.ts';
import type { HostDeps, HostedStatus, Hosting } from './hosting.ts';
import { inquire } from './inquiry.ts';
import type { ExposedSnapshot } from './subscribers.ts';
import { createSupervisor, type Supervisor } from './supervision.ts';

interface Work {
  readonly envelope: Envelope;
  /** The event for the machine; undefined for what the host itself answers. */
  readonly event: MachineEvent | undefined;
}

/** One hosted hyperty. */
export class HostedActor implements Endpoint, FabricContext {
  readonly address: HypertyAddress;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly #hosting: Hosting;
  readonly #deps: HostDeps;
  readonly #mailbox: Mailbox<Work>;
  readonly #dialogue: Dialogue;
  readonly #unbind: () => void;
  #supervisor: Supervisor | undefined;
  #actor: AnyActorRef;
  #status: HostedStatus = 'running';
  #congestion: Promise<void> | undefined;
  #restart: Timer;
  /** Of the message that is being handled. */
  #span: OpenSpan | undefined;

  /** Starts the hyperty. @throws FabricError `conflict` when the address is taken */
  constructor(hosting: Hosting, deps: HostDeps) {
    this.address = hosting.address;
    this.bus = deps.bus;
    this.logger = deps.logger;
    this.#hosting = hosting;
    this.#deps = deps;
    this.#mailbox = new Mailbox(hosting.options.mailboxCapacity ?? 4096, (work) => this.#process(work));
    this.#unbind = deps.bus.bind(hosting.address, this);
    const say = (saying: Saying): void => void this.#say(saying);
    this.#dialogue = new Dialogue({ hosting, bus: deps.bus, logger: deps.logger, say, publish: say });
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

  /** It runs from the start. */
  get ready(): Promise<void> {
    return Promise.resolve();
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
    return this.#mailbox.push({ envelope, event: this.#dialogue.eventOf(envelope) });
  }

  undeliverable(envelope: Envelope): void {
    if (envelope.re !== undefined) this.#dialogue.unsubscribe(envelope.re, envelope.to);
  }

  /** What the machine itself sends holds its mailbox back while the road to the receiver is congested. */
  post(saying: Saying): void {
    const congestion = this.#say(saying);
    if (congestion)
      this.#congestion = this.#congestion ? this.#congestion.then(() => congestion) : congestion;
  }

  answer(request: EnvelopeHeader, event: unknown, provisional: boolean): void {
    this.#dialogue.answer(request, event, provisional);
  }

  ask(inquiry: Inquiry): () => void {
    const { trace } = this.#dialogue.trace;
    const parent = trace === undefined ? {} : { trace };
    return inquire(this, { ...inquiry, ...parent }, (settle) => this.#dialogue.within(trace, settle));
  }

  afterCommit(run: () => void): void {
    run();
  }

  turn(run: () => void): void {
    run();
  }

  /** Answers and updates hold nothing back: one peer that does not take them must not stop it for the others. */
  #say(saying: Saying): void | Promise<void> {
    const trace = saying.trace === undefined ? this.#dialogue.trace : {};
    return this.bus.post({ ...saying, ...trace, from: this.address });
  }

  #process({ envelope, event }: Work): void | Promise<void> {
    if (this.bus.tracing) this.#trace(this.bus.tracing, { envelope, event });
    else this.#dialogue.handle(envelope, event);
    const congestion = this.#congestion;
    this.#congestion = undefined;
    return congestion;
  }

  #trace(tracing: Tracing, { envelope, event }: Work): void {
    const span = tracing.begin('process', envelope);
    this.#span = span;
    span.end({ error: this.#dialogue.handle(envelope, event, span) });
    this.#span = undefined;
  }

  #create(): AnyActorRef {
    const { definition, options } = this.#hosting;
    const actor: AnyActorRef = createActor(definition.machine, {
      input: options.input,
      clock: this.bus.clock,
    });
    attachFabric(actor.system, this);
    this.#dialogue.follow(actor);
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
    this.#dialogue.show();
    this.#end('done', undefined, new FabricError('closed', `${this.address} has finished.`));
  }

  #crashed(thrown: unknown): void {
    if (this.#status !== 'running') return;
    const error = crashOf(this.address, thrown);
    this.logger.error({ address: this.address, error: thrown }, 'a hyperty crashed');
    this.#span?.end({ error });
    stopChildren(this.#actor);
    this.#dialogue.failOpen(error);
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
      this.#actor.start();
      if (this.status !== 'running') return; // it has crashed again already
      this.#dialogue.show();
      this.#mailbox.resume();
    }, delayMs);
  }

  #end(status: 'done' | 'stopped', last: ExposedSnapshot | undefined, reason: FabricError): void {
    this.#status = status;
    this.bus.clock.clearTimeout(this.#restart);
    this.#unbind();
    this.#dialogue.end(last, reason);
    for (const { envelope } of this.#mailbox.clear()) this.#dialogue.respond(envelope, errorBody(reason));
    this.#deps.ended(this.address);
  }
}
