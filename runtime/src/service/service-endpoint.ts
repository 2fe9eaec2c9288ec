/**
 * The endpoint of a domain's service: turns envelopes for its address into calls of a handler, and what the handler gives
 * into answers. A request counts as taken over once it has been handled, so a service that dies over it is sent it again:
 * handlers must be idempotent.
 */
import * as z from 'zod';
import type { Bus } from '../bus/bus.ts';
import type { Endpoint } from '../bus/endpoint.ts';
import {
  domainOf,
  serviceRuntime,
  type Address,
  type RuntimeAddress,
  type ServiceAddress,
} from '../message/address.ts';
import { errorBody, headerOf, valueBody, type Envelope, type EnvelopeHeader } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import { parseBy } from './contract.ts';
import { Followers } from './followers.ts';

/** One request to a service, as it came over the fabric. */
export interface ServiceRequest {
  /** Name of the operation; whether there is one of that name is for the handler to say. */
  readonly operation: string;
  /** What the caller gave, unchecked. */
  readonly input: unknown;
  /** Who asks: `from` is proven by the link it came over. */
  readonly envelope: EnvelopeHeader;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** What a follower is given. */
export interface Following {
  /** The output now. */
  readonly output: unknown;
  /** Ends it. */
  readonly stop: () => void;
  /** The output as it would be now, or a promise of it, for a renewal. Default: the first one. */
  readonly current?: () => unknown;
}

/** Handles what comes for a service over the fabric. Both reject with the FabricError that the caller is to hear. */
export interface ServiceHandler {
  /** @returns the output */
  ask(request: ServiceRequest): Promise<unknown>;
  /** @param update sends one update to the follower */
  follow(request: ServiceRequest, update: (value: unknown) => void): Promise<Following>;
  /** A runtime has closed its link, or has come back in a new life: what it ran there has ended. */
  runtimeLeft?(runtime: RuntimeAddress): void;
}

/** Where an endpoint is and what it needs. */
export interface ServiceEndpointDeps {
  readonly bus: Bus;
  readonly address: ServiceAddress;
  readonly logger: Logger;
}

/** A bound service. */
export interface ServedService {
  readonly address: ServiceAddress;
  /** Requests being handled. */
  readonly inProgress: number;
  /** Followers. */
  readonly followers: number;
  /** Takes nothing more, waits for what is being handled, and lets followers go, who come again later. Idempotent. */
  stop(): Promise<void>;
}

const bodySchema = z.looseObject({ type: z.string().min(1).max(100) });
const leaseSchema = z.object({ subscription: z.string().min(1).max(64) });
const SWEEP_MS = 60_000;

/** Binds `handler` to the address of a service. @throws FabricError `conflict` when it is served here already */
export const serveAt = (deps: ServiceEndpointDeps, handler: ServiceHandler): ServedService =>
  new ServiceEndpoint(deps, handler);

class ServiceEndpoint implements ServedService, Endpoint {
  readonly isIdempotent = true;
  readonly address: ServiceAddress;
  readonly #deps: ServiceEndpointDeps;
  readonly #handler: ServiceHandler;
  readonly #followers: Followers;
  readonly #working = new Set<Promise<void>>();
  readonly #undo: readonly (() => void)[];
  #sweep: ReturnType<Bus['clock']['setTimeout']>;

  constructor(deps: ServiceEndpointDeps, handler: ServiceHandler) {
    const { bus, address } = deps;
    this.#deps = deps;
    this.#handler = handler;
    this.address = address;
    this.#followers = new Followers(() => bus.clock.now(), domainOf(serviceRuntime(address) ?? address));
    const left = (runtime: RuntimeAddress): void => handler.runtimeLeft?.(runtime);
    this.#undo = [bus.bind(address, this), bus.onInterruption(left), bus.departures.on(left)];
    this.#scheduleSweep();
  }

  get inProgress(): number {
    return this.#working.size;
  }

  get followers(): number {
    return this.#followers.size;
  }

  receive(envelope: Envelope): void | Promise<void> {
    const work = this.#handle(envelope);
    if (!work) return;
    this.#working.add(work);
    return work.finally(() => this.#working.delete(work));
  }

  async stop(): Promise<void> {
    for (const undo of this.#undo) undo();
    this.#deps.bus.clock.clearTimeout(this.#sweep);
    await Promise.allSettled(this.#working);
    this.#followers.stop((re, to) => {
      void this.#deps.bus.post({ from: this.address, to, type: 'event', re, body: { type: 'closed' } });
    });
  }

  #handle(envelope: Envelope): Promise<void> | undefined {
    switch (envelope.type) {
      case 'execute':
        return this.#work(envelope, (signal) => this.#ask(envelope, signal));
      case 'subscribe':
        return this.#work(envelope, (signal) => this.#follow(envelope, signal));
      case 'unsubscribe':
        this.#followers.end(parseBy(leaseSchema, envelope.body, 'Unsubscribing').subscription, envelope.from);
        return undefined;
      default:
        throw new FabricError('unsupported', `A service does not understand "${envelope.type}".`);
    }
  }

  async #work(envelope: Envelope, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock } = this.#deps.bus;
    const { deadline } = envelope;
    const controller = new AbortController();
    const timer =
      deadline === undefined ? undefined : clock.setTimeout(() => controller.abort(), deadline - clock.now());
    try {
      await work(controller.signal);
    } catch (caught) {
      const error = FabricError.from(caught);
      if (error.code === 'internal')
        this.#deps.logger.error({ address: this.address, error }, 'a service failed');
      this.#respond(envelope, errorBody(error));
    } finally {
      clock.clearTimeout(timer);
    }
  }

  async #ask(envelope: Envelope, signal: AbortSignal): Promise<void> {
    this.#respond(envelope, valueBody(await this.#handler.ask(requestOf(envelope, signal))));
  }

  async #follow(envelope: Envelope, signal: AbortSignal): Promise<void> {
    const lease = leaseSchema.safeParse(envelope.body);
    if (lease.success) {
      const output = await this.#followers.renew(lease.data.subscription, envelope.from);
      this.#respond(envelope, valueBody(output));
      return;
    }
    const { id, from } = envelope;
    this.#followers.reserve(id, from);
    try {
      await this.#begin(envelope, requestOf(envelope, signal));
    } catch (error) {
      this.#followers.end(id, from);
      throw error;
    }
  }

  async #begin(envelope: Envelope, request: ServiceRequest): Promise<void> {
    const { id, from } = envelope;
    const early: unknown[] = [];
    let send = (value: unknown): void => void early.push(value);
    const following = await this.#handler.follow(request, (value) => send(value));
    const { output, stop, current = () => output } = following;
    if (!this.#followers.fill(id, from, { stop, current })) return; // it has been given up meanwhile
    this.#respond(envelope, valueBody(output)); // first, then what has changed meanwhile
    send = (value) => {
      if (this.#followers.has(id, from)) this.#update(from, id, value);
    };
    early.forEach(send);
  }

  #update(to: Address, re: string, body: unknown): void {
    void this.#deps.bus.post({ from: this.address, to, type: 'update', re, body });
  }

  #respond({ id, from }: Envelope, body: unknown): void {
    void this.#deps.bus.post({ from: this.address, to: from, type: 'response', re: id, body });
  }

  #scheduleSweep(): void {
    this.#sweep = this.#deps.bus.clock.setTimeout(() => {
      this.#followers.sweep();
      this.#scheduleSweep();
    }, SWEEP_MS);
  }
}

/** @throws FabricError `schema` when the body names no operation */
function requestOf(envelope: Envelope, signal: AbortSignal): ServiceRequest {
  const { type: operation, ...input } = parseBy(bodySchema, envelope.body, `Request to ${envelope.to}`);
  return { operation, input, envelope: headerOf(envelope), signal };
}
