/**
 * The dialogue of one hyperty with its peers: turns envelopes into checked events, answers requests for the machine,
 * shows its snapshot to those who read or subscribe. It neither runs the machine nor decides when something leaves.
 */
import type { AnyActorRef } from 'xstate';
import type { Bus, Draft } from '../bus/bus.ts';
import { traceBelow } from '../bus/spans.ts';
import type { Address } from '../message/address.ts';
import {
  errorBody,
  headerOf,
  MAX_ID_CHARS,
  valueBody,
  type Envelope,
  type EnvelopeHeader,
} from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import type { OpenSpan } from '../platform/tracing.ts';
import { canTake, wrongState } from './acceptance.ts';
import type { Hosting } from './hosting.ts';
import { parseEvent } from './hyperty.ts';
import { OpenRequests, type OpenRequestsLimits } from './open-requests.ts';
import { exposedSnapshot, Publisher } from './publisher.ts';
import type { ExposedSnapshot } from './subscribers.ts';

/** What the machine of a hyperty is sent for a message. */
export type MachineEvent = { readonly type: string } & { readonly envelope: EnvelopeHeader };

/** What a hyperty says: an envelope without id and sender. */
export type Saying = Omit<Draft, 'from'>;

/** What a dialogue needs from its host. */
export interface DialogueDeps {
  readonly hosting: Hosting;
  readonly bus: Bus;
  readonly logger: Logger;
  /** Sends an answer, for which nobody waits after `untilMs` (epoch milliseconds). */
  readonly say: (saying: Saying, untilMs: number | undefined) => void;
  /** How many requests may be open. Default: as many as {@link OpenRequests} allows. */
  readonly openRequests?: OpenRequestsLimits;
  /** Sends an update to a subscriber: worth little once there is a newer one. */
  readonly publish: (saying: Saying) => void;
}

/** Updates that a subscriber has not taken within this time end its subscription. */
const UPDATE_TTL_MS = 60_000;

/** What one hyperty and its peers say to each other. */
export class Dialogue {
  readonly #deps: DialogueDeps;
  #actor: AnyActorRef | undefined;
  #publisher: Publisher | undefined;
  #open: OpenRequests | undefined;
  /** Trace of what goes on now. */
  #trace: string | undefined;

  constructor(deps: DialogueDeps) {
    this.#deps = deps;
  }

  /** From now on this actor is the one that speaks. */
  follow(actor: AnyActorRef): void {
    this.#actor = actor;
    this.#publisher?.follow(actor);
  }

  /** The trace of what is said now: that of the message which is being handled. */
  get trace(): { readonly trace?: string } {
    return traceBelow(this.#deps.bus, this.#trace);
  }

  /** Does something that goes on with what has the trace `trace`. */
  within<T>(trace: string | undefined, run: () => T): T {
    this.#trace = trace;
    const result = run();
    this.#trace = undefined;
    return result;
  }

  /** True while somebody follows the hyperty's snapshot. */
  get isFollowed(): boolean {
    return this.#publisher?.hasSubscribers ?? false;
  }

  /** The requests that have been accepted and not answered. */
  get open(): readonly EnvelopeHeader[] {
    return this.#open?.list() ?? [];
  }

  /** Takes up the requests of an earlier life. */
  reopen(headers: readonly EnvelopeHeader[]): void {
    this.#open = undefined;
    for (const header of headers) this.#opened().add(header, this.#deps.bus.clock.now());
  }

  /**
   * The event that a message is for the machine; undefined for what is answered without it.
   * @throws FabricError `schema unsupported`
   */
  eventOf(envelope: Envelope): MachineEvent | undefined {
    const { type, body } = envelope;
    const { address, definition } = this.#deps.hosting;
    if (type === 'event' || type === 'execute') {
      return Object.assign(parseEvent(definition.accepts, body, address), { envelope: headerOf(envelope) });
    }
    if (type === 'read' || type === 'subscribe' || type === 'unsubscribe') return undefined;
    const text = `${address} does not understand messages of type "${type}".`;
    throw new FabricError('unsupported', text, { details: { type } });
  }

  /**
   * Handles a message; `event` is what {@link eventOf} made of it.
   * @returns why it was refused, if it was; its sender is told already
   */
  handle(envelope: Envelope, event: MachineEvent | undefined, span?: OpenSpan): FabricError | undefined {
    this.#trace = span?.trace ?? envelope.trace;
    const refusal = event ? this.#send(envelope, event) : this.#observe(envelope);
    this.#trace = undefined;
    return refusal;
  }

  /** Answers a request for the machine; `provisional` keeps it open. */
  answer(request: EnvelopeHeader, event: unknown, provisional: boolean): void {
    if (!this.#open?.has(request)) return;
    if (!provisional) this.#open.remove(request);
    const { hosting, logger } = this.#deps;
    try {
      const value = parseEvent(hosting.definition.emits, event, `Answer of ${hosting.address}`);
      this.respond(request, valueBody(value, provisional ? 102 : 200));
    } catch (caught) {
      this.#open.remove(request);
      const fields = { address: hosting.address, error: caught };
      logger.error(fields, 'an answer breaks the schema of its hyperty');
      this.respond(request, errorBody(FabricError.from(caught)));
    }
  }

  /** Sends a response, now or long after the request. */
  respond(request: Pick<EnvelopeHeader, 'id' | 'from' | 'deadline' | 'trace'>, body: unknown): void {
    const { id: re, from: to, deadline } = request;
    const trace = this.#trace === undefined ? traceBelow(this.#deps.bus, request.trace) : this.trace;
    this.#deps.say({ to, type: 'response', re, body, ...trace }, deadline);
  }

  /** Ends a subscription whose updates do not reach the subscriber. */
  unsubscribe(subscription: string, subscriber: Address): void {
    this.#publisher?.remove(subscription, subscriber);
  }

  /** Shows the snapshot to those who follow it, if it has changed. */
  show(): void {
    if (this.#actor) this.#publisher?.show(this.#actor);
  }

  /** Ends all open requests with `error`. */
  failOpen(error: FabricError): void {
    for (const header of this.#open?.clear() ?? []) this.respond(header, errorBody(error));
  }

  /** The hyperty has ended: tells who waits and who follows. */
  end(last: ExposedSnapshot | undefined, reason: FabricError): void {
    this.failOpen(reason);
    if (last) this.#publisher?.end(last);
  }

  #send(envelope: Envelope, event: MachineEvent): FabricError | undefined {
    const actor = this.#speaking();
    if (envelope.type === 'execute') {
      if (!canTake(actor, event)) {
        const refusal = wrongState(this.#deps.hosting.address, event.type, actor);
        this.respond(envelope, errorBody(refusal));
        return refusal;
      }
      this.#opened().add(event.envelope, this.#deps.bus.clock.now());
    }
    actor.send(event);
    return undefined;
  }

  #observe(envelope: Envelope): FabricError | undefined {
    const { id, from, type, body } = envelope;
    const { address } = this.#deps.hosting;
    const given = (body as { subscription?: unknown } | undefined)?.subscription;
    const subscription = typeof given === 'string' && given.length <= MAX_ID_CHARS ? given : id;
    if (type === 'unsubscribe') {
      this.unsubscribe(subscription, from);
      return undefined;
    }
    try {
      if (type === 'subscribe') this.#published().add(subscription, from);
      this.respond(envelope, valueBody(this.#exposed()));
      return undefined;
    } catch (caught) {
      const error = caught instanceof FabricError ? caught : crashOf(address, caught);
      if (error !== caught)
        this.#deps.logger.error({ address, error: caught }, 'what a hyperty exposes cannot be shown');
      this.respond(envelope, errorBody(error));
      return error;
    }
  }

  /** The publisher; it follows the actor from the first subscription on. */
  #published(): Publisher {
    if (this.#publisher) return this.#publisher;
    const { hosting, logger, bus, publish } = this.#deps;
    const { address, definition, options } = hosting;
    this.#publisher = new Publisher({
      address,
      emits: definition.emits,
      expose: definition.expose,
      capacity: options.maxSubscribers ?? 10_000,
      logger,
      now: () => bus.clock.now(),
      publish: (publication) => {
        publish({ ...publication, deadline: bus.clock.now() + UPDATE_TTL_MS });
      },
    });
    this.#publisher.follow(this.#speaking());
    return this.#publisher;
  }

  #opened(): OpenRequests {
    return (this.#open ??= new OpenRequests(this.#deps.openRequests));
  }

  #speaking(): AnyActorRef {
    if (this.#actor) return this.#actor;
    throw new TypeError(`${this.#deps.hosting.address} has no actor yet.`);
  }

  #exposed(): ExposedSnapshot {
    return exposedSnapshot(this.#speaking(), this.#deps.hosting.definition.expose);
  }
}

/** What others hear of a crash. The thrown text stays inside the runtime: it may hold private data. */
export const crashOf = (address: string, thrown: unknown): FabricError =>
  new FabricError(
    'crashed',
    `${address} failed while it handled a message; its owner finds the reason in the log.`,
    { cause: thrown },
  );
