/** What the sending half of a link needs around it. */
import type { RuntimeAddress } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import type { FabricError } from '../message/error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Protostub } from '../protostub/protostub.ts';
import type { FrameOf } from './frame.ts';
import type { LinkSettings } from './settings.ts';

/** The ends of an open session, as every data frame names them. */
export type SessionEnds = Pick<FrameOf<'data'>, 'from' | 'to' | 'epoch' | 'peerEpoch'>;

/** What the sending half needs from its link. */
export interface SenderDeps {
  readonly peer: RuntimeAddress;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: LinkSettings;
  readonly path: () => Protostub;
  /** The open session; undefined while the link is not open. */
  readonly ends: () => SessionEnds | undefined;
  /** True when the peer fetches spilled bodies. */
  readonly canSpill: () => boolean;
  /** Opens the link: something waits. Called again while nothing comes back. */
  readonly open: () => void;
  /** True when the peer may wait for us to handle what it has sent. */
  readonly holdsPeerBack: () => boolean;
  /** True when the peer should hear how far we have received. */
  readonly acknowledgementDue: () => boolean;
  /** How far we have received and what we grant; saying it clears what was due. */
  readonly position: () => { readonly ack: number; readonly limit: number };
  /** The peer has acknowledged a durable envelope. */
  readonly kept: (envelope: Envelope) => void;
  readonly undeliverable: (envelope: Envelope, error: FabricError) => void;
  /** Nothing has come back for several attempts. */
  readonly suspect: () => void;
  /** Nothing has come back for as long as messages live, and nobody waits any more: the peer's life is over. */
  readonly abandon: () => void;
}
