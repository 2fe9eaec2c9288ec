/** Joins the links of a runtime to its bus, its known peers and its store. */
import type { Bus } from './bus/bus.ts';
import { Links } from './link/links.ts';
import { createPeerStores, type KnownStoreNames } from './link/peer-memory.ts';
import type { LinkSettings } from './link/settings.ts';
import { createThrottle } from './link/throttle.ts';
import type { RuntimeAddress } from './message/address.ts';
import type { KnownPeers } from './platform/known-peers.ts';
import type { Logger } from './platform/logger.ts';

/** Strangers decide how much junk comes in, not how much is logged. */
const MAX_WARNINGS_PER_SECOND = 5;

/** What the links of a runtime are made of. */
export interface LinkingParts {
  readonly self: RuntimeAddress;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly settings: LinkSettings;
  readonly peers: KnownPeers;
  /** Random name of this life of the runtime. */
  readonly life: string;
  /** Random name of the store behind it. */
  readonly store: () => string | undefined;
  /** Where the names of peers' stores are kept. Undefined: they are remembered for as long as the process lives. */
  readonly knownStores: KnownStoreNames | undefined;
}

/** Creates the links of a runtime. */
export function createLinks({ bus, peers, logger, knownStores, ...parts }: LinkingParts): Links {
  const { clock, ids } = bus;
  const warnings = createThrottle(MAX_WARNINGS_PER_SECOND, () => clock.now());
  return new Links({
    ...parts,
    ...createPeerStores(logger, warnings, knownStores),
    clock,
    logger,
    hex: (digits) => ids.hex(digits),
    isHosted: (address) => bus.isLocal(address),
    onPeer: (peer) => {
      peers.add(peer);
    },
    deliver: (envelope, origin) => bus.accept(envelope, origin),
    kept: (envelope) => {
      bus.kept(envelope);
    },
    interrupted: (peer) => {
      bus.interrupted(peer);
    },
    departed: (peer) => {
      bus.departures.tell(peer);
    },
    refuse: (envelope, error) => {
      bus.refuse(envelope, error);
    },
    undeliverable: (envelope, error) => {
      bus.undeliverable(envelope, error);
    },
    reject: (error, envelope) => {
      if (warnings.take()) logger.warn({ error }, 'an inbound frame or message was dropped');
      if (envelope) bus.deadLetters.add(envelope, error);
    },
  });
}
