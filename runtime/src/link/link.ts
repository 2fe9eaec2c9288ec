/**
 * A link: the reliable, ordered session between this runtime and one other, above whatever path (protostub) carries
 * its frames. Joins the opening and the two halves. Effectively once while both runtimes live. When the peer comes back
 * in a new life, what it had not acknowledged is reported as undeliverable, because nobody can know whether it was
 * handled; unless it can tell a repeat, by `seq`, or by its store: then it is sent again.
 */
import type { Origin } from '../bus/endpoint.ts';
import type { Address, RuntimeAddress } from '../message/address.ts';
import type { FabricError } from '../message/error.ts';
import type { Protostub } from '../protostub/protostub.ts';
import type { Encoded } from './entry.ts';
import type { Frame, FrameOf } from './frame.ts';
import { Handshake, type PeerOffer } from './handshake.ts';
import type { LinkDeps } from './link-deps.ts';
import type { OutboxItem } from './outbox.ts';
import { PeerMemory } from './peer-memory.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { gone, restarted } from './silence.ts';

/** What `inspect` shows of a link. */
export interface LinkReport {
  readonly peer: RuntimeAddress;
  /** Name of the protostub that carries it. */
  readonly path: string;
  readonly state: 'opening' | 'open' | 'closed';
  readonly roundTripMs: number | undefined;
  /** Envelopes waiting, sent but unacknowledged ones among them. */
  readonly waiting: number;
  /** Durable envelopes among those that wait. */
  readonly durable: number;
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
  readonly #memory: PeerMemory;
  readonly #handshake: Handshake;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  #path: Protostub;
  /** Where envelopes of this session are from. */
  #origin: Origin;
  #closed = false;
  #activeAt: number;

  constructor(peer: RuntimeAddress, path: Protostub, deps: LinkDeps) {
    this.peer = peer;
    this.#path = path;
    this.#deps = deps;
    this.#activeAt = deps.clock.now();
    this.#origin = { peer, life: '', isRepeat: false };
    this.#memory = new PeerMemory({ ...deps, peer });
    this.#handshake = this.#createHandshake();
    this.#sender = this.#createSender();
    this.#receiver = this.#createReceiver();
  }

  /** The protostub that carries this link now. */
  get path(): Protostub {
    return this.#path;
  }

  /** Envelopes waiting for being sent or acknowledged. */
  get waiting(): number {
    return this.#sender.outbox.size;
  }

  /** Those of them that are lost when this process ends: not the durable ones. */
  get perishable(): number {
    return this.#sender.outbox.size - this.#sender.outbox.durable;
  }

  /** Milliseconds without anything to do; 0 while something waits. */
  idleMs(now: number): number {
    return this.waiting > 0 || this.#receiver.inProgress > 0 ? 0 : now - this.#activeAt;
  }

  /** As {@link idleMs}, but what waits here and is kept elsewhere does not count. */
  dispensableMs(now: number): number {
    return this.perishable > 0 || this.#receiver.inProgress > 0 ? 0 : now - this.#activeAt;
  }

  report(): LinkReport {
    const { size: waiting, durable, unacknowledged, lastNumber: lastSent } = this.#sender.outbox;
    return {
      peer: this.peer,
      path: this.#path.name,
      state: this.#closed ? 'closed' : this.#handshake.session ? 'open' : 'opening',
      roundTripMs: this.#sender.roundTripMs,
      waiting,
      durable,
      unacknowledged,
      lastSent,
      lastReceived: this.#receiver.delivered,
      skewMs: this.#handshake.session?.skewMs,
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

  /** Gives up on the durable envelopes for a receiver that lives elsewhere now; returns them in order. */
  takeDurable(to: Address): readonly OutboxItem[] {
    this.#sender.wake(); // others may wait for the room
    return this.#sender.outbox.takeDurable(to);
  }

  /** Handles a frame of the peer that came by `path`, its sender proven. @throws FabricError `invalid` */
  receive(frame: Frame, path: Protostub): void {
    if (this.#closed) return;
    this.#activeAt = this.#deps.clock.now();
    // The peer may know already that our path is dead; what we have sent there was not answered.
    if (path.state === 'live' && this.#sender.isUnanswered) this.usePath(path);
    if (frame.kind === 'data') this.#onData(frame);
    else if (frame.kind === 'hello') this.#handshake.onHello(frame);
    else if (frame.kind === 'welcome') this.#handshake.onWelcome(frame);
    else if (frame.kind === 'bye') this.#onBye(frame);
    else if (frame.kind === 'refuse') this.#handshake.onRefuse(frame);
  }

  /** Moves the link to another path; what is unacknowledged goes out again there. */
  usePath(path: Protostub): void {
    if (path === this.#path) return;
    this.#path = path;
    this.#sender.forgetSpills();
    if (path.state === 'live') this.pathLive();
  }

  /** The path is usable (again): says where we stand, which also wakes the peer's homeserver, and sends again. */
  pathLive(): void {
    this.#handshake.hurry();
    this.#sender.resend();
    if (this.#handshake.session) this.#receiver.acknowledgeNow();
  }

  /** Opens the link without anything to send, so that a peer known from before, and its homeserver, hear of us. */
  greet(): void {
    if (!this.#handshake.session) this.#sayHello();
  }

  /** Asks the peer to acknowledge at once what it has. */
  urge(): void {
    this.#sender.urge();
  }

  /** Closes in order. Returns what was still waiting, and a promise that settles once the peer has been told. */
  close(): { readonly left: readonly OutboxItem[]; readonly told: Promise<void> } {
    if (this.#closed) return { left: [], told: Promise.resolve() };
    const { ends } = this.#handshake;
    const ack = this.#receiver.delivered;
    this.#closed = true;
    this.#receiver.stop();
    const left = this.#sender.stop();
    return { left, told: ends ? this.#say({ kind: 'bye', ...ends, ack }) : Promise.resolve() };
  }

  #createHandshake(): Handshake {
    return new Handshake({
      ...this.#deps,
      peer: this.peer,
      knownStore: () => this.#deps.knownStore(this.peer),
      say: (frame) => void this.#say(frame),
      grant: () => this.#receiver.grant(),
      opened: (offer, replaced) => {
        this.#opened(offer, replaced);
      },
      welcomed: (offer) => {
        this.#warnOfSkew(offer.skewMs);
        this.#sender.acknowledged(0, offer.limit);
        this.#receiver.acknowledgeNow();
      },
      refused: (error) => {
        this.#sender.failAll(error);
      },
    });
  }

  #createSender(): Sender {
    return new Sender({
      ...this.#deps,
      peer: this.peer,
      path: () => this.#path,
      ends: () => this.#handshake.ends,
      canSpill: () => this.#handshake.session?.capabilities.includes('spill') ?? false,
      open: () => {
        this.#sayHello();
      },
      holdsPeerBack: () => this.#receiver.holdsPeerBack,
      acknowledgementDue: () => this.#receiver.due,
      position: () => this.#receiver.position(),
      suspect: () => {
        this.#deps.suspect(this.peer);
      },
      abandon: () => {
        this.#endSession();
        this.#sender.restart(gone(this.peer), { again: false });
        this.#deps.interrupted(this.peer);
      },
    });
  }

  #createReceiver(): Receiver {
    return new Receiver({
      ...this.#deps,
      peer: this.peer,
      media: () =>
        [...new Set([this.#path.media, ...this.#deps.media()])].filter((store) => store !== undefined),
      skewMs: () => this.#skewMs(),
      isStuck: () => this.#sender.isStuck,
      deliver: (envelope, isRepeat) =>
        this.#deps.deliver(envelope, isRepeat ? { ...this.#origin, isRepeat } : this.#origin),
      wake: () => {
        this.#sender.wake();
      },
    });
  }

  #sayHello(): void {
    if (!this.#closed && this.#path.state === 'live') this.#handshake.sayHello();
  }

  async #say(frame: Frame): Promise<void> {
    try {
      await this.#path.send(frame, this.peer);
    } catch (error) {
      this.#deps.logger.debug(
        { peer: this.peer, kind: frame.kind, error },
        'a frame was not taken by the message node',
      );
    }
  }

  #opened(offer: PeerOffer, replaced: boolean): void {
    const { hasSameStore, hasNewLife } = this.#memory.meet(offer);
    this.#origin = { peer: this.peer, life: offer.life ?? offer.epoch, isRepeat: false };
    if (replaced) {
      this.#receiver.reset();
      this.#sender.restart(restarted(this.peer), { again: hasSameStore });
    }
    this.#receiver.grant();
    this.#sender.opened(offer.limit);
    if (replaced || hasNewLife) this.#deps.interrupted(this.peer);
  }

  #onData(frame: FrameOf<'data'>): void {
    if (!this.#handshake.confirms(frame)) return;
    this.#sender.acknowledged(frame.ack, frame.limit);
    this.#receiver.accept(frame);
  }

  #onBye(bye: FrameOf<'bye'>): void {
    const { ends } = this.#handshake;
    if (bye.peerEpoch !== ends?.epoch || bye.epoch !== ends.peerEpoch) return;
    this.#endSession();
    this.#sender.renumber(bye.ack);
    this.#deps.suspect(this.peer); // what it hosted may live elsewhere now
    this.#deps.departed?.(this.peer);
  }

  #endSession(): void {
    this.#handshake.end();
    this.#receiver.reset();
  }

  /** Deadlines are corrected only for clocks that are really apart: below that, the estimate is no better. */
  #skewMs(): number {
    const skew = this.#handshake.session?.skewMs ?? 0;
    return Math.abs(skew) > this.#deps.settings.maxSkewMs ? skew : 0;
  }

  #warnOfSkew(skewMs: number): void {
    if (Math.abs(skewMs) <= this.#deps.settings.maxSkewMs) return;
    const text =
      'the clock of a peer differs from ours; deadlines are corrected, but check NTP on both sides';
    this.#deps.logger.warn({ peer: this.peer, skewMs }, text);
  }
}
