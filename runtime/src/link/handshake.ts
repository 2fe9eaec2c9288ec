/**
 * The opening of a link: `hello`, `welcome`, and the first data frame as confirmation. Each end names its life by a
 * random epoch; a frame counts only when it carries the epochs of both ends, so frames of an earlier life, delayed or
 * replayed, change nothing. Three steps, as in the Noise XX pattern that will fill the key slot.
 */
import type { RuntimeAddress } from '../message/address.ts';
import { LINK_VERSIONS, type FrameOf } from './frame.ts';

/** One end's side of the opening. */
export interface Opening {
  readonly self: RuntimeAddress;
  readonly peer: RuntimeAddress;
  readonly epoch: string;
  /** Epoch milliseconds now. */
  readonly now: number;
  /** Credit given to the peer. */
  readonly limit: number;
}

/** What the other end said of itself in a hello or welcome. */
export interface PeerOffer {
  readonly epoch: string;
  readonly version: number;
  readonly capabilities: readonly string[];
  readonly limit: number;
  /** Milliseconds that its clock is ahead of ours. */
  readonly skewMs: number;
}

/** Features of this code that a peer may use. */
const CAPABILITIES: readonly string[] = ['spill'];

/** First step: who we are, which versions we speak. */
export const helloFrame = ({ self, peer, epoch, now, limit }: Opening): FrameOf<'hello'> => ({
  kind: 'hello', from: self, to: peer, epoch, time: now, versions: [...LINK_VERSIONS], capabilities: [...CAPABILITIES], limit,
}); // prettier-ignore

/** Second step: the version chosen, the hello's epoch and time given back. */
export const welcomeFrame = ({ self, peer, epoch, now, limit }: Opening, hello: FrameOf<'hello'>, version: number): FrameOf<'welcome'> => ({
  kind: 'welcome', from: self, to: peer, epoch, peerEpoch: hello.epoch, version,
  time: now, helloTime: hello.time, capabilities: [...CAPABILITIES], limit,
}); // prettier-ignore

/** Answer to a hello whose versions we do not speak. */
export const refuseFrame = ({ self, peer }: Opening, hello: FrameOf<'hello'>): FrameOf<'refuse'> => ({
  kind: 'refuse', from: self, to: peer, peerEpoch: hello.epoch, versions: [...LINK_VERSIONS],
}); // prettier-ignore

/** The best version that both ends speak. */
export const commonVersion = (versions: readonly number[]): number | undefined =>
  LINK_VERSIONS.find((version) => versions.includes(version));

/** What a hello says; its travel time is part of the skew, which is good enough until the welcome. */
export const offerOfHello = (hello: FrameOf<'hello'>, version: number, now: number): PeerOffer => ({
  epoch: hello.epoch, version, capabilities: hello.capabilities, limit: hello.limit, skewMs: hello.time - now,
}); // prettier-ignore

/** What a welcome says; the skew is taken against the middle of the round trip. */
export const offerOfWelcome = (welcome: FrameOf<'welcome'>, now: number): PeerOffer => ({
  epoch: welcome.epoch, version: welcome.version, capabilities: welcome.capabilities, limit: welcome.limit,
  skewMs: Math.round(welcome.time - (welcome.helloTime + now) / 2),
}); // prettier-ignore
