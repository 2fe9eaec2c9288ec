/** What a link needs around it. */
import type { Origin, Reception } from '../bus/endpoint.ts';
import type { RuntimeAddress } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import type { FabricError } from '../message/error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { MediaStore } from '../protostub/protostub.ts';
import type { PeerStores } from './peer-memory.ts';
import type { LinkSettings } from './settings.ts';

/** What a link needs from its runtime. */
export interface LinkDeps extends PeerStores {
  readonly self: RuntimeAddress;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: LinkSettings;
  /** Random name of this life of the runtime, 8 to 64 characters. */
  readonly life: string;
  /** Random name of the store behind the runtime, 8 to 64 characters; known before the first path is added. */
  readonly store: () => string | undefined;
  /** The media stores of all paths. */
  readonly media: () => readonly MediaStore[];
  /** `digits` random hex digits. */
  readonly hex: (digits: number) => string;
  /** Hands an envelope on. Undefined: it has been handled. It is acknowledged once it is `kept`. */
  readonly deliver: (envelope: Envelope, origin: Origin) => Reception | undefined;
  readonly refuse: (envelope: Envelope, error: FabricError) => void;
  readonly reject: (error: FabricError, envelope?: Envelope) => void;
  /** The peer has acknowledged a durable envelope. */
  readonly kept: (envelope: Envelope) => void;
  readonly undeliverable: (envelope: Envelope, error: FabricError) => void;
  /** The peer is in a new life and knows nothing of earlier subscriptions. */
  readonly interrupted: (peer: RuntimeAddress) => void;
  /** The peer has said good-bye. */
  readonly departed?: (peer: RuntimeAddress) => void;
  /** The peer has not answered for several attempts, or has said good-bye. */
  readonly suspect: (peer: RuntimeAddress) => void;
}
