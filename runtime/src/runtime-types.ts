/** What a runtime is made of, and what it shows. */
import type { HostedActor } from './actor/hosted-actor.ts';
import type { EventSchemas, Peer } from './actor/hyperty.ts';
import type { DurableSettings } from './durable/durable-settings.ts';
import type { LinkReport } from './link/link.ts';
import type { LinkSettings } from './link/settings.ts';
import type { HypertyAddress, RuntimeAddress } from './message/address.ts';
import type { FabricError } from './message/error.ts';
import type { Clock } from './platform/clock.ts';
import type { Logger } from './platform/logger.ts';
import type { KeyValueStorage } from './platform/storage.ts';
import type { Tracing } from './platform/tracing.ts';
import type { Protostub } from './protostub/protostub.ts';
import type { RegistrarOptions } from './registry/registrar.ts';
import type { Store } from './store/store.ts';

/** What a runtime is made of. */
export interface RuntimeOptions {
  /** Roads to other runtimes, preferred ones first. All must give the runtime the same address. At least one. */
  readonly protostubs: readonly [Protostub, ...Protostub[]];
  readonly clock?: Clock;
  readonly random?: (bytes: number) => Uint8Array;
  readonly logger?: Logger;
  /** Where known peers are remembered. Default: only in memory. */
  readonly storage?: KeyValueStorage;
  /** Where durable hyperties live. Without one none can be hosted. Whoever opened it closes it, after the runtime has stopped. */
  readonly store?: Store;
  readonly durable?: Partial<DurableSettings>;
  /** Shows in spans what is sent and handled: `createTracing` of `@hyperty/runtime/opentelemetry`. Default: none. */
  readonly tracing?: Tracing;
  readonly links?: Partial<LinkSettings>;
  /** Registers what is hosted here with the registry of the domain: `{}` for its defaults. Default: nothing is registered. */
  readonly registry?: RegistrarOptions;
  /** Dead letters that are kept. Default 1,000. */
  readonly deadLetterCapacity?: number;
  /** Told when a hyperty has used up its restarts. Default: logged as an error. */
  readonly onEscalation?: (address: HypertyAddress, error: FabricError) => void;
}

/** A hyperty that runs here. */
export interface Hosted<
  A extends EventSchemas = EventSchemas,
  E extends EventSchemas = EventSchemas,
  X = unknown,
> extends Pick<HostedActor, 'status' | 'mailboxDepth' | 'actor' | 'stop'> {
  readonly address: HypertyAddress;
  /** Address and schemas, for typed references. */
  readonly peer: Peer<A, E, X>;
  /** Settles when it runs; for a durable one, when it has been made, or found, in the store. */
  readonly ready: Promise<void>;
}

/** What `inspect` tells of a runtime. */
export interface RuntimeReport {
  readonly address: RuntimeAddress;
  readonly hyperties: readonly {
    readonly address: HypertyAddress;
    readonly status: string;
    readonly mailboxDepth: number;
    /** State value of its machine. */
    readonly state?: unknown;
    /** Durable ones are shown while they are in memory. */
    readonly durable?: boolean;
    /** Why a durable one cannot run. */
    readonly reason?: string;
  }[];
  readonly links: readonly LinkReport[];
  readonly pendingRequests: number;
  readonly deadLetters: number;
  /** Durable messages that other runtimes have not taken over; absent without a store. */
  readonly outgoing?: number;
}
