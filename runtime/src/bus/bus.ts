/**
 * The message bus of one runtime: takes every envelope through the outgoing pipeline to a local endpoint or to the
 * transport (links), and every inbound one through the incoming pipeline to its endpoint or to the request that waits
 * for it. It knows neither actors nor links; what it cannot deliver goes back to the sender or to the dead letters.
 */
import type { Address, RuntimeAddress } from '../message/address.ts';
import { errorBody, type Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { IdSource } from '../message/id.ts';
import { childTrace } from '../message/trace.ts';
import type { Clock } from '../platform/clock.ts';
import type { OpenSpan, Tracing } from '../platform/tracing.ts';
import { createDeadLetterLog, type DeadLetterLog } from './dead-letters.ts';
import { Departures } from './departures.ts';
import { hand, receptionOf, type Endpoint, type Origin, type Reception, type Residence, type Transport } from './endpoint.ts'; // prettier-ignore
import { guard } from './guard.ts';
import { Pipeline } from './pipeline.ts';
import { lateAnswer, notHere, notStarted, tooLate } from './refusal.ts';
import { endWith, traceBelow, traced } from './spans.ts';
import { DEFAULT_TIMEOUT_MS, isFollowUp, Requests, type RequestOptions } from './requests.ts';

/** What a sender supplies; the bus adds id and trace. */
export type Draft = Omit<Envelope, 'id'>;

/** What the bus needs from its surroundings. */
export interface BusDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  /** How many dead letters are kept. */
  readonly deadLetterCapacity: number;
  /** Shows what is sent and handled. Default: nothing is shown. */
  readonly tracing?: Tracing | undefined;
}

/** The message bus of one runtime. */
export class Bus {
  readonly outgoing = new Pipeline();
  readonly incoming = new Pipeline();
  readonly deadLetters: DeadLetterLog;
  readonly departures = new Departures();
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly tracing: Tracing | undefined;
  readonly #requests: Requests;
  readonly #endpoints = new Map<Address, Endpoint>();
  readonly #closing = new Set<() => void>();
  readonly #interruptions = new Set<(peer: RuntimeAddress) => void>();
  #transport: Transport | undefined;
  #residence: Residence | undefined;
  #stopped: FabricError | undefined;

  constructor({ clock, ids, deadLetterCapacity, tracing }: BusDeps) {
    this.clock = clock;
    this.tracing = tracing;
    this.ids = ids;
    this.deadLetters = createDeadLetterLog(deadLetterCapacity, () => clock.now());
    this.#requests = new Requests(clock, (request) => this.#transport?.withdraw(request));
  }

  /** Requests that wait for their outcome. */
  get pendingRequests(): number {
    return this.#requests.pending;
  }

  /** Sets the road for addresses that are not bound here; until then, sending there fails as `closed`. */
  connect(transport: Transport): void {
    this.#transport = transport;
  }

  /**
   * Binds an endpoint to an address; returns its removal.
   * @throws FabricError `conflict` when the address is bound already
   */
  bind(address: Address, endpoint: Endpoint): () => void {
    if (this.#endpoints.has(address)) {
      throw new FabricError('conflict', `${address} is hosted here already; choose another name.`, {
        details: { address },
      });
    }
    this.#endpoints.set(address, endpoint);
    return () => {
      if (this.#endpoints.get(address) === endpoint) this.#endpoints.delete(address);
    };
  }

  /** Sets who receives for addresses that are not bound here one by one. */
  house(residence: Residence): void {
    this.#residence = residence;
  }

  /** True when `address` lives in this runtime; a promise when its store must be asked. */
  isLocal(address: Address): boolean | Promise<boolean> {
    return this.#endpoints.has(address) || (this.#residence?.hosts(address) ?? false);
  }

  /** True for addresses that live no longer than this process. */
  isBound(address: Address): boolean {
    return this.#endpoints.has(address);
  }

  /**
   * Sends an envelope. A promise means congestion, or an asynchronous stage: wait for it before sending more.
   * It never throws: what cannot be delivered becomes the outcome of its request, or a dead letter.
   */
  post(draft: Draft): void | Promise<void> {
    const envelope: Envelope = { ...draft, id: this.ids.next() };
    if (!this.tracing) return this.#dispatch(envelope);
    const span = this.tracing.begin('send', envelope);
    const handing = this.#dispatch(traced(envelope, span), span);
    if (handing) return handing.then(() => span.end());
    span.end();
  }

  /**
   * Sends a request and waits for its one outcome.
   * @returns the value of the answer
   * @throws FabricError the peer's error, or `timeout offline cancelled no-route mailbox-full too-large closed`
   */
  request(draft: Draft, options: RequestOptions = {}): Promise<unknown> {
    return this.openRequest(draft, options).outcome;
  }

  /** Like {@link request}, and tells the request's id, which names its stream of updates. */
  openRequest(
    draft: Draft,
    options: RequestOptions,
  ): { readonly id: string; readonly outcome: Promise<unknown> } {
    const latest = this.clock.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const deadline = draft.deadline ?? Math.min(Math.ceil(latest), Number.MAX_SAFE_INTEGER);
    const request: Envelope = { ...draft, id: this.ids.next(), deadline };
    const span = this.tracing?.begin('send', request);
    const outcome = this.#requests.open(request, options);
    if (!options.signal?.aborted) void this.#dispatch(span ? traced(request, span) : request);
    if (span) endWith(span, outcome);
    return { id: request.id, outcome };
  }

  /** Stops the updates of a subscription made with {@link openRequest}. */
  endStream(id: string): void {
    this.#requests.endStream(id);
  }

  /**
   * Takes an envelope that came in over a link, already decoded and its sender proven, or one of this runtime.
   * @returns undefined when it has been handled already
   */
  accept(envelope: Envelope, origin?: Origin): Reception | undefined {
    const failed = (caught: unknown): void => {
      this.refuse(envelope, FabricError.from(caught));
    };
    try {
      const arrival = this.incoming.run(envelope, (passed) => this.#deliver(passed, origin));
      return arrival === undefined ? undefined : receptionOf(arrival, failed);
    } catch (caught) {
      failed(caught);
      return undefined;
    }
  }

  /**
   * Sends an envelope that is durable already, as often as it takes: its outcome is reported to the residence as `kept` or
   * `undeliverable`. A promise means congestion.
   */
  forward(envelope: Envelope): void | Promise<void> {
    return this.#dispatch(envelope);
  }

  /** Gives up on sending an envelope that was given to {@link forward}: it will be sent again. */
  withdraw(envelope: Envelope): void {
    this.#transport?.withdraw(envelope);
  }

  /** Takes an envelope between two addresses of one store through both pipelines, in place of a transport. */
  pass(envelope: Envelope): Envelope | Promise<Envelope> {
    return this.outgoing.run(envelope, (passed) =>
      this.incoming.run(passed, (accepted): Envelope | Promise<Envelope> => accepted),
    );
  }

  /** Reports that the peer has taken over a durable envelope. */
  kept(envelope: Envelope): void {
    this.#residence?.kept(envelope);
  }

  /** Reports that an envelope sent earlier could not be delivered after all. */
  undeliverable(envelope: Envelope, error: FabricError): void {
    if (envelope.seq !== undefined && this.#residence) {
      this.#residence.undeliverable(envelope, error);
      return;
    }
    if (this.#requests.fail(envelope.id, error)) return;
    this.#endpoints.get(envelope.from)?.undeliverable?.(envelope, error);
    this.deadLetters.add(envelope, error);
  }

  /** Calls `listener` when the runtime is about to stop, while messages can still be sent; returns the removal. */
  onClosing(listener: () => void): () => void {
    this.#closing.add(listener);
    return () => this.#closing.delete(listener);
  }

  /** The runtime is about to stop: whoever keeps something alive through this bus lets go of it. */
  close(): void {
    for (const listener of this.#closing) listener();
  }

  /** Calls `listener` when a runtime has come back in a new life and knows nothing of earlier subscriptions. */
  onInterruption(listener: (peer: RuntimeAddress) => void): () => void {
    this.#interruptions.add(listener);
    return () => this.#interruptions.delete(listener);
  }

  /** Reports that a runtime has come back in a new life. */
  interrupted(peer: RuntimeAddress): void {
    for (const listener of [...this.#interruptions]) listener(peer);
  }

  /** Ends all requests under way, and every message after, with `error`. */
  stop(error: FabricError): void {
    this.#stopped = error;
    this.#requests.failAll(error);
  }

  #dispatch(envelope: Envelope, span?: OpenSpan): void | Promise<void> {
    return guard(
      () => this.outgoing.run(envelope, (passed) => this.#send(passed)),
      (error) => {
        span?.end({ error });
        this.undeliverable(envelope, error);
      },
    );
  }

  #send(envelope: Envelope): void | Promise<void> {
    const isLocal = this.isLocal(envelope.to);
    if (isLocal instanceof Promise) return isLocal.then((found) => this.#sendTo(found, envelope));
    return this.#sendTo(isLocal, envelope);
  }

  #sendTo(isLocal: boolean, envelope: Envelope): void | Promise<void> {
    if (this.#stopped) throw this.#stopped;
    if (envelope.seq && this.#residence?.mayLeave(envelope) === false) return;
    if (!isLocal) return this.#leave(envelope);
    this.#acceptOwn(envelope);
  }

  /** Whoever sends does not wait for it to be handled: two hyperties that answer each other would wait for ever. */
  #acceptOwn(envelope: Envelope): void {
    const reception = this.accept(envelope);
    if (envelope.seq === undefined) return;
    if (reception?.kept) void reception.kept.then(() => this.kept(envelope));
    else this.kept(envelope);
  }

  #leave(envelope: Envelope): void | Promise<void> {
    if (!this.#transport) throw notStarted(envelope.to);
    if (envelope.trace !== undefined) return this.#transport.send(envelope);
    return this.#transport.send({
      ...envelope,
      trace: childTrace(undefined, (digits) => this.ids.hex(digits)),
    });
  }

  #deliver(envelope: Envelope, origin: Origin | undefined): Reception | undefined {
    if (envelope.re !== undefined && this.#requests.settle(envelope)) return undefined;
    const endpoint = this.#endpoints.get(envelope.to);
    const residence = endpoint ? undefined : this.#residence;
    if (envelope.type === 'response' && !residence) throw lateAnswer(envelope);
    if (isFollowUp(envelope)) {
      this.#unsubscribe(envelope);
      return undefined;
    }
    if (envelope.deadline !== undefined && envelope.deadline <= this.clock.now()) throw tooLate(envelope);
    if (residence) return residence.receive(envelope, origin);
    if (!endpoint) throw notHere(envelope.to);
    return hand(endpoint, envelope, origin);
  }

  /** Nobody here follows this subscription any more: its sender is told, so that it stops. */
  #unsubscribe({ from, to, re }: Envelope): void {
    const deadline = this.clock.now() + DEFAULT_TIMEOUT_MS;
    void this.post({ from: to, to: from, type: 'unsubscribe', body: { subscription: re }, deadline });
  }

  /** Tells the sender of an inbound envelope that it was refused; what has no sender to tell is a dead letter. */
  refuse(envelope: Envelope, error: FabricError): void {
    if (envelope.type === 'response' || isFollowUp(envelope)) {
      this.deadLetters.add(envelope, error);
      return;
    }
    void this.post({
      from: envelope.to,
      to: envelope.from,
      type: 'response',
      re: envelope.id,
      body: errorBody(error),
      ...traceBelow(this, envelope.trace),
    });
  }
}
