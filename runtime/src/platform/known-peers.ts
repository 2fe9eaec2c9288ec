/** The peers that a runtime has talked to, remembered over restarts so that it can greet them. */
import { isAddress, ownerOf, type RuntimeAddress } from '../message/address.ts';
import type { Logger } from './logger.ts';
import type { KeyValueStorage } from './storage.ts';

/** The latest peers. */
export interface KnownPeers {
  add(peer: RuntimeAddress): void;
  /** The peers of earlier lives and of this one, latest last. */
  list(): Promise<readonly RuntimeAddress[]>;
  /** Waits for what is being written. */
  flush(): Promise<void>;
}

const KEY = 'known-peers';
const CAPACITY = 64;

/** Creates the memory of peers; a storage that fails is reported and does no further harm. */
export function createKnownPeers(storage: KeyValueStorage, logger: Logger): KnownPeers {
  let peers: readonly RuntimeAddress[] = [];
  let unsaved = false;
  const loaded = load();
  let writing: Promise<void> = loaded;

  async function load(): Promise<void> {
    try {
      const text = await storage.get(KEY);
      const stored: unknown = text === undefined ? [] : JSON.parse(text);
      const earlier = Array.isArray(stored) ? stored.filter(isRuntime) : [];
      peers = [...earlier.filter((peer) => !peers.includes(peer)), ...peers].slice(-CAPACITY);
    } catch (error) {
      logger.warn({ error }, 'the known peers could not be read; starting without them');
    }
  }

  async function save(): Promise<void> {
    unsaved = false;
    try {
      await storage.set(KEY, JSON.stringify(peers));
    } catch (error) {
      logger.warn({ error }, 'the known peers could not be stored');
    }
  }

  return {
    add(peer) {
      if (peers.includes(peer)) return;
      // One of an owner: device names are their own claim and must not push the others out.
      const others = peers.filter((other) => ownerOf(other) !== ownerOf(peer));
      peers = [...others, peer].slice(-CAPACITY);
      if (unsaved) return;
      unsaved = true;
      writing = writing.then(save);
    },
    list: () => loaded.then(() => peers),
    flush: () => writing,
  };
}

const isRuntime = (value: unknown): value is RuntimeAddress =>
  isAddress(value) && value.startsWith('runtime:');
