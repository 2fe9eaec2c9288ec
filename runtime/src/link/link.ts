/**
 * A link: the reliable, ordered session between this runtime and one other, above whatever path (protostub) carries
 * its frames. Opens and closes the session; its two halves send and receive. Effectively once while both runtimes
 * live: when the peer comes back in a new life, what it had not acknowledged is reported as undeliverable, because
 * nobody can know whether it was handled.
 */
import type { RuntimeAddress } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Protostub } from '../protostub/protostub.ts';
import type { Encoded } from './entry.ts';
import type { Frame, FrameOf } from './frame.ts';
import { commonVersion, helloFrame, offerOfHello, offerOfWelcome, refuseFrame, welcomeFrame, type Opening, type PeerOffer } from './handshake.ts'; // prettier-ignore
import type { OutboxItem } from './outbox.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import type { LinkSettings } from './settings.ts';

/** What a link needs from its runtime. */
export interface LinkDeps {
  readonly self: RuntimeAddress;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: LinkSettings;
  /** `digits` random hex digits. */
  readonly hex: (digits: number) => string;
  readonly deliver: (envelope: Envelope, peer: RuntimeAddress) => void | Promise<void>;
  readonly refuse: (envelope: Envelope, error: FabricError) => void;
  readonly reject: (error: FabricError, envelope?: Envelope) => void;
  readonly undeliverable: (envelope: Envelope, error: FabricError) => void;
  /** The peer has not answered for several attempts. */
  readonly suspect: (peer: RuntimeAddress) => void;
}

/** What `inspect` shows of a link. */
export interface LinkReport {
  readonly peer: RuntimeAddress;
  /** Name of the protostub that carries it. */
  readonly path: string;
  readonly state: 'opening' | 'open' | 'closed';
  readonly roundTripMs: number | undefined;
  /** Envelopes waiting, sent but unacknowledged ones among them. */
  readonly waiting: number;
  readonly unacknowledged: number;
  readonly lastSent: number;
  readonly lastReceived: number;
  /** Milliseconds that the peer's clock is ahead of ours. */
  readonly skewMs: number | undefined;
}

/** The session with one peer. */
export class Link {
  readonly peer: RuntimeAddress;
  readonly #deps: LinkDeps;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  #path: Protostub;
  #epoch: string;
  #session: PeerOffer | undefined;
  /** A peer that says it is in a new life; believed once a data frame shows that it has seen our welcome. */
  #candidate: PeerOffer | undefined;
  #helloAt = -Infinity;
  #closed = false;
  #activeAt: number;

  constructor(peer: RuntimeAddress, path: Protostub, deps: LinkDeps) {
    this.peer = peer;
    this.#path = path;
    this.#deps = deps;
    this.#epoch = deps.hex(32);
    this.#activeAt = deps.clock.now();
    this.#sender = new Sender({
      ...deps,
      peer,
      path: () => this.#path,
      ends: () => this.#ends(),
      open: () => { this.#sayHello(); },
      acknowledgementDue: () => this.#receiver.due,
      position: () => this.#receiver.position(),
      suspect: () => { deps.suspect(peer); },
      abandon: () => { this.#abandon(); },
    }); // prettier-ignore
    this.#receiver = new Receiver({
      ...deps,
      peer,
      media: () => this.#path.media,
      skewMs: () => this.#skewMs(),
      deliver: (envelope) => deps.deliver(envelope, peer),
      wake: () => { this.#sender.wake(); },
    }); // prettier-ignore
  }

  /** The protostub that carries this link now. */
  get path(): Protostub {
    return this.#path;
  }

  /** Envelopes waiting for being sent or acknowledged. */
  get waiting(): number {
    return this.#sender.outbox.size;
  }

  /** Milliseconds without anything to do; 0 while something waits. */
  idleMs(now: number): number {
    return this.waiting > 0 || this.#receiver.inProgress > 0 ? 0 : now - this.#activeAt;
  }

  report(): LinkReport {
    const { size: waiting, unacknowledged, lastNumber: lastSent } = this.#sender.outbox;
    return {
      peer: this.peer,
      path: this.#path.name,
      state: this.#closed ? 'closed' : this.#session ? 'open' : 'opening',
      roundTripMs: this.#sender.roundTripMs,
      waiting,
      unacknowledged,
      lastSent,
      lastReceived: this.#receiver.delivered,
      skewMs: this.#session?.skewMs,
    };
  }

  /**
   * Accepts an envelope. A promise means congestion: it settles when there is room.
   * @throws FabricError `mailbox-full` when far too much waits for this peer
   */
  send(encoded: Encoded, expiresAt: number): void | Promise<void> {
    this.#activeAt = this.#deps.clock.now();
    return this.#sender.send(encoded, expiresAt);
  }

  /** Gives up on an envelope; returns why the peer never took it, undefined when it did. */
  withdraw(id: string): FabricError | undefined {
    return this.#sender.withdraw(id);
  }

  /** Handles a frame of the peer, its sender proven. @throws FabricError `invalid` */
  receive(frame: Frame): void {
    if (this.#closed) return;
    this.#activeAt = this.#deps.clock.now();
    if (frame.kind === 'data') this.#onData(frame);
    else if (frame.kind === 'hello') this.#onHello(frame);
    else if (frame.kind === 'welcome') this.#onWelcome(frame);
    else if (frame.kind === 'bye') this.#onBye(frame);
    else if (frame.kind === 'refuse') this.#onRefuse(frame);
  }

  /** Moves the link to another path; what is unacknowledged goes out again there. */
  usePath(path: Protostub): void {
    if (path === this.#path) return;
    this.#path = path;
    if (path.state === 'live') this.pathLive();
  }

  /** The path is usable (again): says where we stand, which also wakes the peer's homeserver, and sends again. */
  pathLive(): void {
    this.#helloAt = -Infinity;
    this.#sender.resend();
    if (this.#session) this.#receiver.acknowledgeNow();
  }

  /** Opens the link without anything to send, so that a peer known from before, and its homeserver, hear of us. */
  greet(): void {
    if (!this.#session) this.#sayHello();
  }

  /** Closes in order: the peer learns what was taken over. Returns what was still waiting. Idempotent. */
  async close(): Promise<readonly OutboxItem[]> {
    if (this.#closed) return [];
    const ends = this.#ends();
    const ack = this.#receiver.delivered;
    this.#closed = true;
    this.#receiver.stop();
    const left = this.#sender.stop();
    if (ends) await this.#say({ kind: 'bye', ...ends, ack });
    return left;
  }

  #ends() {
    if (!this.#session || this.#closed) return undefined;
    return { from: this.#deps.self, to: this.peer, epoch: this.#epoch, peerEpoch: this.#session.epoch };
  }

  #opening(): Opening {
    const { self, clock } = this.#deps;
    return { self, peer: this.peer, epoch: this.#epoch, now: clock.now(), limit: this.#receiver.grant() };
  }

  /** Deadlines are corrected only for clocks that are really apart: below that, the estimate is no better. */
  #skewMs(): number {
    const skew = this.#session?.skewMs ?? 0;
    return Math.abs(skew) > this.#deps.settings.maxSkewMs ? skew : 0;
  }

  async #say(frame: Frame): Promise<void> {
    try {
      await this.#path.send(frame, this.peer);
    } catch (error) {
      this.#deps.logger.debug({ peer: this.peer, kind: frame.kind, error }, 'a frame was not taken by the message node');
    }
  }

  /** At most one hello per resend interval, however many frames ask for one. */
  #sayHello(): void {
    const now = this.#deps.clock.now();
    if (this.#closed || this.#path.state !== 'live' || now - this.#helloAt < this.#deps.settings.minResendMs / 2) return;
    this.#helloAt = now;
    void this.#say(helloFrame(this.#opening()));
  }

  #onHello(hello: FrameOf<'hello'>): void {
    const opening = this.#opening();
    const version = commonVersion(hello.versions);
    if (version === undefined) {
      void this.#say(refuseFrame(opening, hello));
      return;
    }
    const offer = offerOfHello(hello, version, opening.now);
    if (!this.#session) this.#open(offer);
    else if (this.#session.epoch !== hello.epoch) this.#candidate = offer;
    const limit = this.#candidate?.epoch === hello.epoch ? this.#deps.settings.windowEnvelopes : this.#receiver.grant();
    void this.#say(welcomeFrame({ ...opening, limit }, hello, version));
  }

  #onWelcome(welcome: FrameOf<'welcome'>): void {
    if (welcome.peerEpoch !== this.#epoch || commonVersion([welcome.version]) === undefined) return;
    const offer = offerOfWelcome(welcome, this.#deps.clock.now());
    if (this.#session?.epoch === welcome.epoch) this.#session = offer;
    else this.#open(offer);
    this.#warnOfSkew(offer.skewMs);
    this.#sender.acknowledged(0, welcome.limit);
    this.#receiver.acknowledgeNow();
  }

  #open(offer: PeerOffer): void {
    if (this.#session) {
      this.#receiver.reset();
      this.#sender.restart(restarted(this.peer));
    }
    this.#session = offer;
    this.#candidate = undefined;
    this.#receiver.grant();
    this.#sender.opened(offer.limit);
  }

  #onData(frame: FrameOf<'data'>): void {
    if (frame.peerEpoch === this.#epoch && this.#candidate?.epoch === frame.epoch) this.#open(this.#candidate);
    if (frame.peerEpoch !== this.#epoch || this.#session?.epoch !== frame.epoch) {
      this.#sayHello();
      return;
    }
    this.#sender.acknowledged(frame.ack, frame.limit);
    this.#receiver.accept(frame);
  }

  #onBye(bye: FrameOf<'bye'>): void {
    if (bye.peerEpoch !== this.#epoch || this.#session?.epoch !== bye.epoch) return;
    this.#endSession();
    this.#sender.renumber(bye.ack);
  }

  #onRefuse(refuse: FrameOf<'refuse'>): void {
    if (refuse.peerEpoch !== this.#epoch || this.#session) return;
    const text = `${this.peer} speaks link versions ${refuse.versions.join(', ')}, none of ours; one side needs an update.`;
    this.#sender.failAll(new FabricError('unsupported', text, { details: { versions: refuse.versions } }));
  }

  #abandon(): void {
    this.#endSession();
    this.#sender.restart(gone(this.peer));
  }

  /** The next session is a new life of this end, so that no frame of this one can be taken for it. */
  #endSession(): void {
    this.#session = undefined;
    this.#candidate = undefined;
    this.#epoch = this.#deps.hex(32);
    this.#helloAt = -Infinity;
    this.#receiver.reset();
  }

  #warnOfSkew(skewMs: number): void {
    if (Math.abs(skewMs) <= this.#deps.settings.maxSkewMs) return;
    this.#deps.logger.warn({ peer: this.peer, skewMs }, 'clocks differ; deadlines are corrected, but check NTP on both sides');
  }
}

const restarted = (peer: RuntimeAddress): FabricError =>
  new FabricError('offline', `${peer} restarted before it acknowledged this; it may or may not have been handled.`, { details: { peer, restarted: true } });

const gone = (peer: RuntimeAddress): FabricError =>
  new FabricError('offline', `${peer} has not acknowledged this before its deadline; it may or may not have been handled.`, { details: { peer } });
