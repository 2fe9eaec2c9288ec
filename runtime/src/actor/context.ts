/**
 * What actor logic finds of the fabric around it. The host hangs it on the actor system of each hyperty, so that
 * helpers such as `ask`, `reply` and `remote` work at any depth below a hyperty's machine.
 */
import type { AnyActorRef } from 'xstate';
import type { Bus, Draft } from '../bus/bus.ts';
import type { Address } from '../message/address.ts';
import type { EnvelopeHeader, Outcome } from '../message/envelope.ts';
import type { Logger } from '../platform/logger.ts';

/** A question that an actor asks on behalf of its hyperty. */
export interface Inquiry {
  /** Id of the request. An actor that is restored asks under the id of its earlier life. */
  readonly id: string;
  /** The question has been asked in an earlier life already: only its answer is awaited. */
  readonly isAsked: boolean;
  readonly to: Address;
  readonly body: unknown;
  /** Epoch milliseconds after which no answer is awaited. */
  readonly deadline: number;
  /** Hears the one outcome. */
  readonly settle: (outcome: Outcome) => void;
}

/** Asks to be sent an event at certain times. */
export interface Reminder {
  /** Unique within the hyperty; another one of the same id is replaced. */
  readonly id: string;
  /** When, and what about runs that were missed. */
  readonly schedule: unknown;
  /** The event; it comes with `scheduledFor` (epoch milliseconds) and `missed` (runs left out before it). */
  readonly event: { readonly type: string };
}

/** Results of steps, kept until the transition that they lead to is kept. */
export interface StepResults {
  /** Waits for the result of a step; it may be there already, from an earlier life. */
  expect(
    key: string,
    take: (value: unknown) => void,
  ): { readonly undo: () => void; readonly isThere: boolean };
  /** Keeps a result, and gives it to whoever expects it. @throws TypeError when it is not plain data */
  keep(key: string, value: unknown): Promise<void>;
}

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
  /** Asks a question. Returns how it is withdrawn. */
  ask(inquiry: Inquiry): () => void;
  /** Runs `run` once what the machine does now is durable; at once where nothing is. */
  afterCommit(run: () => void): void;
  /** Runs `run`, which sends events to actors of this hyperty, so that what follows from it becomes durable together. */
  turn(run: () => void): void;
  /** Results of steps that outlive a crash. Only durable hyperties have this. */
  readonly results?: StepResults;
  /** Sets or (`undefined`) removes a reminder. Only durable hyperties have this. @throws FabricError `invalid` */
  readonly remind?: (id: string, reminder: Reminder | undefined) => void;
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
