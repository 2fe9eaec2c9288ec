/**
 * What the bus delivers to and sends by: endpoints of single addresses, the residence of those that are not in memory,
 * the transport to other runtimes.
 */
import type { Address, RuntimeAddress } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import type { FabricError } from '../message/error.ts';
import { restarted } from './refusal.ts';

/** How far an envelope has come. Two promises, as a durable hyperty takes over long before it handles. */
export interface Reception {
  /** Settles when it has been taken over: its sender need not send it again. Undefined: it has been. */
  readonly kept?: Promise<void>;
  /** Settles when it has been handled, and makes room for another one. */
  readonly handled: Promise<void>;
}

/** Where an envelope that came over a link is from. */
export interface Origin {
  readonly peer: RuntimeAddress;
  /** Random name of the life of that runtime. */
  readonly life: string;
  /** True for what was sent to an earlier life of this runtime already, which may have handled it. */
  readonly isRepeat: boolean;
}

/** Receives the envelopes of one local address. */
export interface Endpoint {
  /**
   * True when handling an envelope a second time does no harm: what an earlier life of this runtime may have had is taken,
   * and an envelope counts as taken over once it has been handled. Needs a runtime with a store.
   */
  readonly isIdempotent?: boolean;
  /**
   * Takes an envelope. Undefined: handled already; a promise: settles when it has been handled.
   * @throws FabricError when the endpoint refuses it; the sender is told.
   */
  receive(envelope: Envelope): void | Promise<void>;
  /** An envelope that this endpoint sent could not be delivered. */
  undeliverable?(envelope: Envelope, error: FabricError): void;
}

/** Receives for addresses of which most are not in memory: durable hyperties. */
export interface Residence {
  /** True when `address` lives here; a promise when the store must be asked. */
  hosts(address: Address): boolean | Promise<boolean>;
  /** Takes an envelope for an address that may live here; rejects `kept` with a FabricError when it does not. */
  receive(envelope: Envelope, origin: Origin | undefined): Reception;
  /** The peer has taken over an envelope that was given to `Bus.forward`. */
  kept(envelope: Envelope): void;
  /** Asked for an envelope that was given to `Bus.forward` and has passed all stages. False: it is not to leave now. */
  mayLeave(envelope: Envelope): boolean;
  /** An envelope that was given to `Bus.forward` could not be delivered. */
  undeliverable(envelope: Envelope, error: FabricError): void;
}

/** The road to other runtimes. */
export interface Transport {
  /**
   * Takes an envelope for another runtime. A promise means congestion: it settles when there is room again.
   * One with `seq` is durable: `Bus.kept` is called once the peer has taken it over.
   * @throws FabricError when it cannot be taken at all
   */
  send(envelope: Envelope): void | Promise<void>;
  /** Gives up on an envelope. Returns the reason when the peer never took it, undefined when it did. */
  withdraw(envelope: Envelope): FabricError | undefined;
}

/** Hands an envelope to an endpoint. Undefined: it has been handled. @throws FabricError when the endpoint refuses it */
export function hand(
  endpoint: Endpoint,
  envelope: Envelope,
  origin: Origin | undefined,
): Reception | undefined {
  if (origin?.isRepeat && !endpoint.isIdempotent) throw restarted(envelope.to);
  const handled = endpoint.receive(envelope);
  if (!handled) return undefined;
  return endpoint.isIdempotent ? { kept: handled, handled } : { handled };
}

/** One way to see what a pipeline and an endpoint gave; a failure is reported once, and counts as handled. */
export function receptionOf(
  arrival: Reception | Promise<Reception | undefined>,
  failed: (caught: unknown) => void,
): Reception {
  if (!(arrival instanceof Promise)) {
    if (!arrival.kept) return { handled: arrival.handled.catch(failed) };
    const kept = arrival.kept.catch(failed);
    return { kept, handled: arrival.handled.catch(() => undefined) }; // what kept it from being kept is told once
  }
  const later = arrival.then((given) => (given ? receptionOf(given, failed) : undefined), failed);
  return { kept: later.then((given) => given?.kept), handled: later.then((given) => given?.handled) };
}
