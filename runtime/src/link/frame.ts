/**
 * Frames: what two runtimes say to each other below envelopes. Locating a hyperty, opening a link, numbered data with
 * acknowledgement and credit, and closing. One schema is the decoder; unknown fields are dropped, unknown kinds refused.
 */
import * as z from 'zod';
import {
  ADDRESS_PATTERN,
  MAX_ADDRESS_CHARS,
  ownerOf,
  runtimeAddress,
  runtimeParts,
  type RuntimeAddress,
} from '../message/address.ts';
import { describeIssues } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';

/** Link protocol versions that this code speaks, best first. */
export const LINK_VERSIONS: readonly number[] = [1];

const address = z.string().max(MAX_ADDRESS_CHARS).regex(ADDRESS_PATTERN);
const epoch = z.string().min(8).max(64);
const count = z.int().nonnegative();
const ends = { from: address, to: address };
const offer = {
  /** Random name of this life of the sender's end of the link. */
  epoch,
  /** Epoch milliseconds on the sender's clock: shows clock skew. */
  time: count,
  /** Optional features of the sender; unknown ones are ignored. */
  capabilities: z.array(z.string().max(64)).max(32),
  /** Place of the runtime's key for end-to-end encryption (base64url). */
  key: z.string().max(1024).optional(),
  /** Credit: the highest number that the receiver of this frame may send. */
  limit: count,
  /** Random name of this life of the sender's runtime: it outlives sessions. */
  life: epoch.optional(),
  /** Random name of the store behind the sender, where it has one: it outlives lives. */
  store: epoch.optional(),
  /** The name under which the sender knows the receiver's store, if it has heard of one. */
  knownStore: epoch.optional(),
};

/** Longest text of entries that is read, whatever the path could carry. */
export const MAX_ENTRIES_CHARS = 65_536;

/** Schema of a frame. */
export const frameSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('locate'), ...ends, id: z.string().max(64), address }),
  z.object({ kind: z.literal('located'), ...ends, id: z.string().max(64), address, found: z.boolean() }),
  z.object({ kind: z.literal('hello'), ...ends, ...offer, versions: z.array(count).min(1).max(16) }),
  z.object({
    kind: z.literal('welcome'),
    ...ends,
    ...offer,
    peerEpoch: epoch,
    version: count,
    helloTime: count,
  }),
  z.object({ kind: z.literal('refuse'), ...ends, peerEpoch: epoch, versions: z.array(count).max(16) }),
  z.object({
    kind: z.literal('data'),
    ...ends,
    epoch,
    peerEpoch: epoch,
    /** Number of the first entry; numbers of a session start at 1. */
    first: count,
    /** JSON text of an array of entries; absent when the frame only acknowledges. */
    entries: z.string().max(MAX_ENTRIES_CHARS).optional(),
    /** All numbers up to this one have been taken over. */
    ack: count,
    limit: count,
    /** The sender wants an acknowledgement at once. */
    ask: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('bye'), ...ends, epoch, peerEpoch: epoch, ack: count }),
]);

/** One frame. */
export type Frame = z.infer<typeof frameSchema>;

/** The frames of one kind. */
export type FrameOf<K extends Frame['kind']> = Extract<Frame, { kind: K }>;

/**
 * Reads a frame that came in over a protostub.
 * @throws FabricError `unsupported` for an unknown kind, `invalid` for anything else that does not fit
 */
export function decodeFrame(value: unknown): Frame {
  const result = frameSchema.safeParse(value);
  if (result.success) return result.data;
  const unknownKind = result.error.issues.some(
    ({ code, path }) => code === 'invalid_union' && path[0] === 'kind',
  );
  throw new FabricError(
    unknownKind ? 'unsupported' : 'invalid',
    `Malformed frame: ${describeIssues(result.error)}.`,
  );
}

/** A peer must be one runtime, written in full. @throws FabricError `invalid` */
export function singleRuntime(address: RuntimeAddress): RuntimeAddress {
  const parts = runtimeParts(address);
  if (parts.device === '*') throw new FabricError('invalid', `${address} names no single runtime.`);
  return runtimeAddress(parts);
}

/**
 * The runtime that a frame says it is from, if the transport's proof covers it.
 * @throws FabricError `forbidden` when it claims to be somebody else
 */
export function claimedSender(frame: Frame, proven: RuntimeAddress): RuntimeAddress {
  const from = singleRuntime(frame.from as RuntimeAddress);
  const covered = proven.endsWith('/*') ? ownerOf(from) === ownerOf(proven) : from === proven;
  if (covered) return from;
  throw new FabricError('forbidden', `${proven} sent a frame in the name of ${from}; it was dropped.`, {
    details: { proven, from },
  });
}
