/**
 * The protostub contract: the transport adapter through which a runtime reaches a domain. A stub moves frames between
 * runtimes and says who sent them; numbering, order, repeats and envelopes are the link's business, not the stub's.
 * `protostubContract` in `@hyperty/runtime/testing` is the acceptance suite for everybody who writes one.
 */
import type { RuntimeAddress } from '../message/address.ts';
import type { FabricError } from '../message/error.ts';

/** A stub's connection: `connecting` → `live` ⇄ `backing-off`, and `closed` before the start and after the end. */
export type ProtostubState = 'closed' | 'connecting' | 'live' | 'backing-off';

/** JSON object that a stub carries; its meaning belongs to the link. */
export type FrameContent = Readonly<Record<string, unknown>>;

/**
 * Takes a frame that came in.
 * @param frame what the sender wrote: not checked by the stub beyond being an object
 * @param sender who sent it, as far as the transport proves it: a runtime's address, with the device `*` where only
 *   the account is proven (Matrix)
 */
export type FrameListener = (frame: unknown, sender: RuntimeAddress) => void;

/** Optional capability: stores what is too large for a frame. */
export interface MediaStore {
  /** Stores bytes; returns a URI that runtimes of other domains can fetch. @throws FabricError `too-large offline …` */
  upload(bytes: Uint8Array, options: { readonly signal?: AbortSignal }): Promise<string>;
  /**
   * Fetches bytes stored by a runtime of `domain`; a URI that points anywhere else is refused unseen.
   * @throws FabricError `forbidden not-found too-large offline`
   */
  download(
    uri: string,
    options: { readonly domain: string; readonly maxBytes: number; readonly signal?: AbortSignal },
  ): Promise<Uint8Array>;
}

/** The transport adapter of one runtime. */
export interface Protostub {
  /** Short name of the transport, for people: `memory`, `matrix`. */
  readonly name: string;
  /** The address that this stub gives its runtime. */
  readonly address: RuntimeAddress;
  readonly state: ProtostubState;
  /** Largest frame, as bytes of its JSON text. */
  readonly maxFrameBytes: number;
  readonly media?: MediaStore;
  /** Connects; resolves once frames flow. Idempotent. @throws FabricError `unauthenticated offline unsupported …` */
  start(): Promise<void>;
  /** Disconnects and lets go of every timer and socket. Idempotent. */
  stop(): Promise<void>;
  /** True when this stub may carry frames to `peer`. */
  reaches(peer: RuntimeAddress): boolean;
  /**
   * Hands a frame to the message node. Resolves once it has been taken over, which is no promise of delivery.
   * The device `*` addresses all runtimes of an owner. Frames to one peer keep their order.
   * @throws FabricError retryable (`offline`, `rate-limited` with `details.retryAfterMs`) or not (`too-large` …)
   */
  send(frame: FrameContent, to: RuntimeAddress): Promise<void>;
  /** Calls `listener` for each frame; returns the removal. */
  onFrame(listener: FrameListener): () => void;
  /** Calls `listener` at each change of state; returns the removal. */
  onState(listener: (state: ProtostubState, error?: FabricError) => void): () => void;
  /** Optional capability: finds out why nothing comes back from a runtime. Undefined when nothing is known. */
  diagnose?(peer: RuntimeAddress): Promise<FabricError | undefined>;
}
