/**
 * What actor logic finds of the fabric around it. The host hangs it on the actor system of each hyperty, so that
 * helpers such as `ask`, `reply` and `remote` work at any depth below a hyperty's machine.
 */
import type { AnyActorRef } from 'xstate';
import type { Bus, Draft } from '../bus/bus.ts';
import type { Address } from '../message/address.ts';
import type { EnvelopeHeader } from '../message/envelope.ts';
import type { Logger } from '../platform/logger.ts';

/** The fabric as seen from inside one hyperty. */
export interface FabricContext {
  /** Who speaks: the hyperty's address, or the runtime's for references made outside a hyperty. */
  readonly address: Address;
  readonly bus: Bus;
  readonly logger: Logger;
  /** Sends an envelope; holds the hyperty's mailbox back while the link to the peer is congested. */
  post(draft: Omit<Draft, 'from'>): void;
  /** Answers a request that this hyperty accepted; `provisional` keeps it open. */
  answer(request: EnvelopeHeader, event: unknown, provisional: boolean): void;
}

const FABRIC = Symbol('hyperty.fabric');

/** The actor system that a hyperty's actors share. */
export type AnySystem = AnyActorRef['system'];

interface HostedSystem {
  [FABRIC]?: FabricContext;
}

/** Hangs `context` on an actor system. */
export function attachFabric(system: AnySystem, context: FabricContext): void {
  (system as HostedSystem)[FABRIC] = context;
}

/**
 * Finds the fabric around an actor.
 * @throws TypeError when the actor does not run inside a runtime
 */
export function fabricOf(system: AnySystem): FabricContext {
  const context = (system as HostedSystem)[FABRIC];
  if (context) return context;
  throw new TypeError(
    'This logic needs a runtime: host its machine with runtime.host(…), or use runtime.remote(…).',
  );
}
