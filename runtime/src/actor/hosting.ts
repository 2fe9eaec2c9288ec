/** What it takes to host a hyperty: what it is, where it lives, how it is treated, and what it needs around it. */
import type { AnyActorLogic } from 'xstate';
import type { Bus } from '../bus/bus.ts';
import type { HypertyAddress } from '../message/address.ts';
import type { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import type { HypertyDefinition } from './hyperty.ts';
import type { SupervisionOptions } from './supervision.ts';

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
  /** Durable ones only: crashes at one message before it is parked. Default 5. */
  readonly maxAttempts?: number;
}

/** What a hosted actor needs from its runtime. */
export interface HostDeps {
  readonly bus: Bus;
  readonly logger: Logger;
  /** Called when restarts are used up and supervision says `escalate`. */
  readonly escalate: (address: HypertyAddress, error: FabricError) => void;
  /** Called once, when the hyperty has finished or been stopped. */
  readonly ended: (address: HypertyAddress) => void;
}

/** State of a hosted hyperty. `halted`: a durable one that cannot run; its messages are kept. */
export type HostedStatus = 'running' | 'restarting' | 'halted' | 'done' | 'stopped';

/** A definition of any types, as hosts take it. */
export type HostedDefinition = Pick<HypertyDefinition, 'descriptor' | 'accepts' | 'emits' | 'durable'> & {
  readonly machine: AnyActorLogic;
  readonly expose: (snapshot: never) => unknown;
};

/** Where a hyperty is hosted, what it is, and how it is treated. */
export interface Hosting {
  readonly address: HypertyAddress;
  readonly definition: HostedDefinition;
  readonly options: HostOptions;
}
