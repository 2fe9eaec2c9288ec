/**
 * The opening of a link: `hello`, `welcome`, and the first data frame as confirmation. Each end names its life by a
 * random epoch; a frame counts only when it carries the epochs of both ends, so frames of an earlier life, delayed or
 * replayed, change nothing. Three steps, as in the Noise XX pattern that will fill the key slot.
 */
import type { RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Clock } from '../platform/clock.ts';
import { LINK_VERSIONS, type Frame, type FrameOf } from './frame.ts';
import type { LinkSettings } from './settings.ts';

/** What the other end said of itself in a hello or welcome. */
export interface PeerOffer {
  readonly epoch: string;
  readonly version: number;
  readonly capabilities: readonly string[];
  /** Credit that it gives us. */
  readonly limit: number;
  /** Milliseconds that its clock is ahead of ours. */
  readonly skewMs: number;
  /** Name of this life of its runtime; older peers give none. */
  readonly life?: string | undefined;
  /** Name of its store, if it has one. */
  readonly store?: string | undefined;
  /** Name under which it knows our store, if it does. */
  readonly knownStore?: string | undefined;
}

/** What the opening needs from its link. */
export interface HandshakeDeps {
  readonly self: RuntimeAddress;
  readonly peer: RuntimeAddress;
  readonly clock: Clock;
  readonly settings: LinkSettings;
  readonly hex: (digits: number) => string;
  /** Random name of this life of our runtime. */
  readonly life: string;
  /** Name of our store, once there is one. */
  readonly store: () => string | undefined;
  /** Name under which we know the peer's store. */
  readonly knownStore: () => string | undefined;
  readonly say: (frame: Frame) => void;
  /** Credit that we give in the session that is open, or that is about to open. */
  readonly grant: () => number;
  /** A session has opened; `replaced` when the peer is in a new life and another session was open before. */
  readonly opened: (offer: PeerOffer, replaced: boolean) => void;
  /** The peer has seen our hello and answered: it wants to see that its answer arrived. */
  readonly welcomed: (offer: PeerOffer) => void;
  /** The peer speaks none of our versions. */
  readonly refused: (error: FabricError) => void;
}

interface Candidate {
  readonly offer: PeerOffer;
  /** Name of our end in this session: a fresh one while another session is open, which its frames cannot know. */
  readonly ownEpoch: string;
}

/** Features of this code that a peer may use. */
const CAPABILITIES: readonly string[] = ['spill'];

/** The ends of a link and how they got to know each other. */
export class Handshake {
  readonly #deps: HandshakeDeps;
  #epoch: string;
  #session: PeerOffer | undefined;
  /** A peer that says it is in a (new) life; believed once a data frame shows that it has seen our welcome. */
  #candidate: Candidate | undefined;
  #helloAt = -Infinity;

  constructor(deps: HandshakeDeps) {
    this.#deps = deps;
    this.#epoch = deps.hex(32);
  }

  /** The open session. */
  get session(): PeerOffer | undefined {
    return this.#session;
  }

  /** The ends of the open session, as data frames name them. */
  get ends(): Pick<FrameOf<'data'>, 'from' | 'to' | 'epoch' | 'peerEpoch'> | undefined {
    if (!this.#session) return undefined;
    return { from: this.#deps.self, to: this.#deps.peer, epoch: this.#epoch, peerEpoch: this.#session.epoch };
  }

  /** First step. At most one hello per half a resend interval, however many frames ask for one. */
  sayHello(): void {
    const { clock, settings, self: from, peer: to, say, grant } = this.#deps;
    const time = clock.now();
    const sinceMs = time - this.#helloAt;
    if (sinceMs >= 0 && sinceMs < settings.minResendMs / 2) return; // below zero: the clock was set back
    this.#helloAt = time;
    const offer = { epoch: this.#epoch, time, capabilities: [...CAPABILITIES], limit: grant() };
    say({ kind: 'hello', from, to, ...offer, versions: [...LINK_VERSIONS], ...this.#names() });
  }

  /** The next hello may go out at once: the path is new. */
  hurry(): void {
    this.#helloAt = -Infinity;
  }

  /** Second step. The peer is only a candidate until it confirms: its hello may be one of an earlier life. */
  onHello(hello: FrameOf<'hello'>): void {
    const { clock, settings, self: from, peer: to, say, grant } = this.#deps;
    const version = commonVersion(hello.versions);
    if (version === undefined) {
      say({ kind: 'refuse', from, to, peerEpoch: hello.epoch, versions: [...LINK_VERSIONS] });
      return;
    }
    const time = clock.now();
    const { epoch } = hello;
    const offer = offerOf(hello, version, hello.time - time);
    if (this.#session?.epoch !== epoch) this.#candidate = { offer, ownEpoch: this.#ownEpochFor(epoch) };
    const credit = this.#session?.epoch === epoch ? grant() : settings.windowEnvelopes;
    const answer = { peerEpoch: epoch, version, time, helloTime: hello.time };
    say({
      kind: 'welcome',
      from,
      to,
      epoch: this.#ownEpochFor(epoch),
      ...answer,
      capabilities: [...CAPABILITIES],
      limit: credit,
      ...this.#names(),
    });
    // A hello may have lain at a homeserver for hours: a round trip of our own shows the true skew.
    const isCurrent = (this.#session?.epoch ?? epoch) === epoch;
    if (Math.abs(offer.skewMs) > settings.maxSkewMs && isCurrent) this.sayHello();
  }

  /** The peer's answer to our hello. */
  onWelcome(welcome: FrameOf<'welcome'>): void {
    const { epoch, version } = welcome;
    if (welcome.peerEpoch !== this.#epoch || commonVersion([version]) === undefined) return;
    const offer = offerOf(welcome, version, leastSkew(welcome, this.#deps.clock.now()));
    if (this.#session?.epoch === epoch) this.#session = offer;
    else if (this.#session && welcome.helloTime !== this.#helloAt)
      return; // it answers a hello of long ago
    else this.#open(offer);
    this.#deps.welcomed(offer);
  }

  onRefuse({ peerEpoch, versions }: FrameOf<'refuse'>): void {
    if (peerEpoch !== this.#epoch || this.#session) return;
    const text = `${this.#deps.peer} speaks link versions ${versions.join(', ')}, none of ours; one side needs an update.`;
    this.#deps.refused(new FabricError('unsupported', text, { details: { versions } }));
  }

  /**
   * Third step: tells whether a frame belongs to the open session, opening that of a candidate which proves by this
   * frame that it has seen our welcome. A stranger to our epochs is greeted instead.
   */
  confirms({ epoch, peerEpoch }: Pick<FrameOf<'data'>, 'epoch' | 'peerEpoch'>): boolean {
    if (this.#candidate?.ownEpoch === peerEpoch && this.#candidate.offer.epoch === epoch) {
      this.#epoch = peerEpoch;
      this.#open(this.#candidate.offer);
    }
    if (peerEpoch === this.#epoch && this.#session?.epoch === epoch) return true;
    this.sayHello();
    return false;
  }

  /** Ends the session. The next one is a new life of this end, so that no frame of this one can be taken for it. */
  end(): void {
    this.#session = undefined;
    this.#candidate = undefined;
    this.#epoch = this.#deps.hex(32);
    this.#helloAt = -Infinity;
  }

  /** How we call our end towards that life of the peer. */
  #ownEpochFor(epoch: string): string {
    if (this.#candidate?.offer.epoch === epoch) return this.#candidate.ownEpoch;
    return this.#session && this.#session.epoch !== epoch ? this.#deps.hex(32) : this.#epoch;
  }

  /** What we say of our memory, and of the peer's. */
  #names(): Pick<FrameOf<'hello'>, 'life' | 'store' | 'knownStore'> {
    const { life, store, knownStore } = this.#deps;
    const [own, known] = [store(), knownStore()];
    return {
      life,
      ...(own === undefined ? {} : { store: own }),
      ...(known === undefined ? {} : { knownStore: known }),
    };
  }

  #open(offer: PeerOffer): void {
    const replaced = this.#session !== undefined;
    this.#session = offer;
    this.#candidate = undefined;
    this.#deps.opened(offer, replaced);
  }
}

const offerOf = (
  { epoch, capabilities, limit, life, store, knownStore }: FrameOf<'hello'> | FrameOf<'welcome'>,
  version: number,
  skewMs: number,
): PeerOffer => ({ epoch, version, capabilities, limit, skewMs, life, store, knownStore });

/** The best version that both ends speak. */
const commonVersion = (versions: readonly number[]): number | undefined =>
  LINK_VERSIONS.find((version) => versions.includes(version));

/**
 * The smallest skew that explains an answer: either way may have taken all of the round trip, as frames can lie at a
 * homeserver for hours, so the middle of it proves nothing.
 */
function leastSkew({ time, helloTime }: Pick<FrameOf<'welcome'>, 'time' | 'helloTime'>, now: number): number {
  return Math.max(0, time - now) + Math.min(0, time - helloTime);
}
