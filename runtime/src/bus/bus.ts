/**
 * The message bus of one runtime: takes every envelope through the outgoing pipeline to a local endpoint or to the
 * transport (links), and every inbound one through the incoming pipeline to its endpoint or to the request that waits
 * for it. It knows neither actors nor links; what it cannot deliver goes back to the sender or to the dead letters.
 */
import type { Address, RuntimeAddress } from '../message/address.ts';
import { decodeResponse, errorBody, type Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { IdSource } from '../message/id.ts';
import { childTrace } from '../message/trace.ts';
import type { Clock } from '../platform/clock.ts';
import { createDeadLetterLog, type DeadLetterLog } from './dead-letters.ts';
import { Pipeline } from './pipeline.ts';
import { DEFAULT_TIMEOUT_MS, isFollowUp, Requests, type RequestOptions } from './requests.ts';

/** Receives the envelopes of one local address. */
export interface Endpoint {
  /**
   * Takes an envelope. Undefined: handled already; a promise: settles when it has been handled.
   * @throws FabricError when the endpoint refuses it; the sender is told.
   */
  receive(envelope: Envelope): void | Promise<void>;
  /** An envelope that this endpoint sent could not be delivered. */
  undeliverable?(envelope: Envelope, error: FabricError): void;
}

/** The road to other runtimes. */
export interface Transport {
  /**
   * Takes an envelope for another runtime. A promise means congestion: it settles when there is room again.
   * @throws FabricError when it cannot be taken at all
   */
  send(envelope: Envelope): void | Promise<void>;
  /** Gives up on an envelope. Returns the reason when the peer never took it, undefined when it did. */
  withdraw(envelope: Envelope): FabricError | undefined;
}

/** What a sender supplies; the bus adds id and trace. */
export type Draft = Omit<Envelope, 'id'>;

/** What the bus needs from its surroundings. */
export interface BusDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  /** How many dead letters are kept. */
  readonly deadLetterCapacity: number;
}

/** The message bus of one runtime. */
export class Bus {
  readonly outgoing = new Pipeline();
  readonly incoming = new Pipeline();
  readonly deadLetters: DeadLetterLog;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly #requests: Requests;
  readonly #endpoints = new Map<Address, Endpoint>();
  readonly #closing = new Set<() => void>();
  readonly #interruptions = new Set<(peer: RuntimeAddress) => void>();
  #transport: Transport | undefined;
  #stopped: FabricError | undefined;

  constructor({ clock, ids, deadLetterCapacity }: BusDeps) {
    this.clock = clock;
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

  /** True when `address` is bound in this runtime. */
  isLocal(address: Address): boolean {
    return this.#endpoints.has(address);
  }

  /**
   * Sends an envelope. A promise means congestion, or an asynchronous stage: wait for it before sending more.
   * It never throws: what cannot be delivered becomes the outcome of its request, or a dead letter.
   */
  post(draft: Draft): void | Promise<void> {
    return this.#dispatch({ ...draft, id: this.ids.next() });
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
    const outcome = this.#requests.open(request, options);
    if (!options.signal?.aborted) void this.#dispatch(request);
    return { id: request.id, outcome };
  }

  /** Stops the updates of a subscription made with {@link openRequest}. */
  endStream(id: string): void {
    this.#requests.endStream(id);
  }

  /** Takes an envelope that came in over a link, already decoded and its sender proven. */
  accept(envelope: Envelope): void | Promise<void> {
    return guard(
      () => this.incoming.run(envelope, (passed) => this.#deliver(passed)),
      (error) => {
        this.refuse(envelope, error);
      },
    );
  }

  /** Reports that an envelope sent earlier could not be delivered after all. */
  undeliverable(envelope: Envelope, error: FabricError): void {
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

  #dispatch(envelope: Envelope): void | Promise<void> {
    return guard(
      () => this.outgoing.run(envelope, (passed) => this.#send(passed)),
      (error) => {
        this.undeliverable(envelope, error);
      },
    );
  }

  #send(envelope: Envelope): void | Promise<void> {
    if (this.#stopped) throw this.#stopped;
    if (this.#endpoints.has(envelope.to)) {
      // Whoever sends does not wait for it to be handled: two hyperties that answer each other would wait for ever.
      void this.accept(envelope);
      return;
    }
    if (!this.#transport) throw notStarted(envelope.to);
    if (envelope.trace !== undefined) return this.#transport.send(envelope);
    return this.#transport.send({
      ...envelope,
      trace: childTrace(undefined, (digits) => this.ids.hex(digits)),
    });
  }

  #deliver(envelope: Envelope): void | Promise<void> {
    if (envelope.re !== undefined && this.#requests.settle(envelope)) return;
    if (envelope.type === 'response') throw lateAnswer(envelope);
    if (isFollowUp(envelope)) return this.#unsubscribe(envelope);
    const endpoint = this.#endpoints.get(envelope.to);
    if (!endpoint) throw notHere(envelope.to);
    if (envelope.deadline !== undefined && envelope.deadline <= this.clock.now()) throw tooLate(envelope);
    return endpoint.receive(envelope);
  }

  /** Nobody here follows this subscription any more: its sender is told, so that it stops. */
  #unsubscribe({ from, to, re }: Envelope): void | Promise<void> {
    const deadline = this.clock.now() + DEFAULT_TIMEOUT_MS;
    return this.post({ from: to, to: from, type: 'unsubscribe', body: { subscription: re }, deadline });
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
    });
  }
}

/** Runs `action`; a throw or rejection goes to `failed` as a FabricError. */
function guard(
  action: () => void | Promise<void>,
  failed: (error: FabricError) => void,
): void | Promise<void> {
  try {
    const result = action();
    return result instanceof Promise
      ? result.catch((caught: unknown) => {
          failed(FabricError.from(caught));
        })
      : result;
  } catch (caught) {
    failed(FabricError.from(caught));
  }
}

const notStarted = (to: Address): FabricError =>
  new FabricError('closed', `Nothing leaves for ${to} before its runtime is started.`, { details: { to } });

const notHere = (to: Address): FabricError =>
  new FabricError('not-found', `No hyperty lives at ${to}; check the address, or start it.`, {
    details: { to },
  });

const tooLate = ({ to }: Envelope): FabricError =>
  new FabricError('timeout', `The message reached ${to} after its deadline and was not handled.`, {
    details: { to },
  });

function lateAnswer({ from, to, body }: Envelope): FabricError {
  const outcome = decodeResponse(body);
  if (outcome.kind !== 'error') {
    return new FabricError('timeout', `${from} answered after the deadline, or was never asked.`);
  }
  const { code, message } = outcome.error;
  return new FabricError('internal', `A message from ${to} failed at ${from}: ${message}`, {
    details: { code },
  });
}
