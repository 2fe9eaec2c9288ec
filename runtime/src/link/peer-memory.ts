/**
 * What one runtime knows of another's memory: the name of its life, which ends with its process, and that of its
 * store, which outlives it. Tells a peer that only restarted from one that has lost what it knew.
 */
import type { RuntimeAddress } from '../message/address.ts';
import type { Logger } from '../platform/logger.ts';
import type { PeerOffer } from './handshake.ts';
import type { Throttle } from './throttle.ts';

/** The stores of peers, by the names that they gave, and who hears when one is not what was expected. */
export interface PeerStores {
  /** Name of the store that `peer` was last seen with. */
  readonly knownStore: (peer: RuntimeAddress) => string | undefined;
  /** A peer was seen with a store for the first time, or with another one. */
  readonly onStore: (peer: RuntimeAddress, store: string) => void;
  /** A peer that had a store has come with another one: it knows nothing of what the first had accepted. */
  readonly storeLost: (
    peer: RuntimeAddress,
    stores: { readonly before: string; readonly now: string },
  ) => void;
  /** A peer knows us with another store than the one we have, or with one while we have none. */
  readonly storeMissed: (peer: RuntimeAddress, stores: StoreMissed) => void;
}

/** The store that a peer expects of us, and ours. */
export interface StoreMissed {
  readonly expected: string;
  readonly own: string | undefined;
}

/** Peers whose stores are remembered; the longest known are forgotten first. */
const MAX_PEERS = 10_000;

/** Where the names of peers' stores are. */
export interface KnownStoreNames {
  readonly names: Map<RuntimeAddress, string>;
  /** Called when one has changed, or (`undefined`) is forgotten. */
  changed(peer: RuntimeAddress, name: string | undefined): void;
}

/** Remembers the stores of peers in `known`; logs what is lost or missed, as often as `warnings` allow. */
export function createPeerStores(
  logger: Logger,
  warnings: Throttle,
  known: KnownStoreNames = forgetful(),
): PeerStores {
  const { names: stores } = known;
  const warn = (fields: Readonly<Record<string, unknown>>, text: string): void => {
    if (warnings.take()) logger.warn(fields, text);
  };
  return {
    knownStore: (peer) => stores.get(peer),
    onStore(peer, store) {
      stores.set(peer, store);
      known.changed(peer, store);
      const [oldest] = stores.keys();
      if (stores.size <= MAX_PEERS || oldest === undefined) return;
      stores.delete(oldest);
      known.changed(oldest, undefined);
    },
    storeLost(peer, { before, now }) {
      warn({ peer, before, now }, LOST);
    },
    storeMissed(peer, { expected, own }) {
      warn({ peer, expected, own }, own === undefined ? MISSED : EXCHANGED);
    },
  };
}

const forgetful = (): KnownStoreNames => ({ names: new Map(), changed: () => undefined });

const LOST =
  'a peer has lost what it knew of us: it runs on another store. What its hyperties had accepted and not yet handled is gone, unless the earlier store comes back';
const MISSED =
  'a peer knows this runtime with a store, and now it runs without one: messages that were accepted into that store wait there. Start the runtime with it again';
const EXCHANGED =
  'a peer knows this runtime with another store: messages that were accepted into that one are not here. If it was started with the wrong or an empty store by mistake, start it with the earlier one; else nothing need be done';

/** What the memory of one peer needs. */
export interface PeerMemoryDeps extends PeerStores {
  readonly peer: RuntimeAddress;
  /** Name of our store. */
  readonly store: () => string | undefined;
}

/** What a new session shows. */
export interface Encounter {
  /** The peer kept its store since the session before. */
  readonly hasSameStore: boolean;
  /** The peer is known to be in another life than in the session before. */
  readonly hasNewLife: boolean;
}

/** What is known of one peer, over sessions. */
export class PeerMemory {
  readonly #deps: PeerMemoryDeps;
  #last: PeerOffer | undefined;
  /** The store of ours that the peer expected, and that was reported. */
  #missed: string | undefined;

  constructor(deps: PeerMemoryDeps) {
    this.#deps = deps;
  }

  /** Takes what a peer says of itself at the start of a session. */
  meet(offer: PeerOffer): Encounter {
    const last = this.#last;
    this.#last = offer;
    this.#learn(offer);
    this.#compare(offer);
    return {
      hasSameStore: offer.store !== undefined && offer.store === last?.store,
      hasNewLife: offer.life !== undefined && last?.life !== undefined && offer.life !== last.life,
    };
  }

  #learn({ store: now }: PeerOffer): void {
    const { peer, knownStore, onStore, storeLost } = this.#deps;
    const before = knownStore(peer);
    if (now === undefined || now === before) return;
    onStore(peer, now);
    if (before !== undefined) storeLost(peer, { before, now });
  }

  #compare({ knownStore: expected }: PeerOffer): void {
    const { peer, store, storeMissed } = this.#deps;
    const own = store();
    if (expected === undefined || expected === own || expected === this.#missed) return;
    this.#missed = expected;
    storeMissed(peer, { expected, own });
  }
}
