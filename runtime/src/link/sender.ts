/**
 * The sending half of a link: outbox, batching without waiting, credit, sending again. While one frame is being
 * handed to the message node, envelopes gather and leave together in the next one; at low load nothing waits.
 */
import type { RuntimeAddress } from '../message/address.ts';
import type { Envelope } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Protostub } from '../protostub/protostub.ts';
import type { Encoded } from './entry.ts';
import type { FrameOf } from './frame.ts';
import { needsSpill, Outbox, type OutboxItem } from './outbox.ts';
import { createRoundTrip, type RoundTrip } from './round-trip.ts';
import type { LinkSettings } from './settings.ts';
import { spillBody } from './spill.ts';

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
  /** Opens the link: something waits. Called again while nothing comes back. */
  readonly open: () => void;
  /** True when the peer should hear how far we have received. */
  readonly acknowledgementDue: () => boolean;
  /** How far we have received and what we grant; saying it clears what was due. */
  readonly position: () => { readonly ack: number; readonly limit: number };
  readonly undeliverable: (envelope: Envelope, error: FabricError) => void;
  /** Nothing has come back for several attempts. */
  readonly suspect: () => void;
  /** Everything that was sent has expired unacknowledged: the peer's life that we knew is over. */
  readonly abandon: () => void;
}

/** Room in a data frame for everything that is not entries. */
const FRAME_OVERHEAD_BYTES = 1536;
const SUSPECT_AFTER_FAILURES = 3;

/** The sending half of one link. */
export class Sender {
  readonly #deps: SenderDeps;
  readonly #outbox = new Outbox();
  readonly #roundTrip: RoundTrip;
  readonly #abort = new AbortController();
  #credit = 0;
  /** Serial number of what the path is busy with; 0 when it is not. */
  #busy = 0;
  #serial = 0;
  #pumpScheduled = false;
  /** After a silence one frame goes out (`due`), and its acknowledgement is awaited (`sent`) before more. */
  #probe: 'no' | 'due' | 'sent' = 'no';
  #resendTimer: Timer;
  #armed = false;
  #waiters: (() => void)[] = [];
  #diagnosis: FabricError | undefined;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.#roundTrip = createRoundTrip({ minMs: deps.settings.minResendMs, maxMs: deps.settings.maxResendMs });
  }

  get outbox(): Pick<Outbox, 'size' | 'unacknowledged' | 'lastNumber'> {
    return this.#outbox;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTrip.smoothedMs;
  }

  /**
   * Accepts an envelope. A promise means congestion: it settles when there is room.
   * @throws FabricError `mailbox-full` when far too much waits for this peer
   */
  send(encoded: Encoded, expiresAt: number): void | Promise<void> {
    const { peer, settings } = this.#deps;
    if (this.#outbox.size >= settings.fullAt) {
      const text = `${settings.fullAt} messages wait for ${peer} already; it takes them too slowly. Try again later.`;
      throw new FabricError('mailbox-full', text, { details: { peer } });
    }
    this.#outbox.add(encoded, expiresAt);
    this.wake();
    if (this.#outbox.size > settings.congestedAt) return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Gives up on an envelope; returns why the peer never took it, undefined when it did. */
  withdraw(id: string): FabricError | undefined {
    return this.#outbox.withdraw(id) === 'gone' ? undefined : (this.#diagnosis ?? offline(this.#deps.peer));
  }

  /** Takes an acknowledgement and new credit. */
  acknowledged(ack: number, limit: number): void {
    this.#diagnosis = undefined;
    this.#credit = Math.max(this.#credit, limit);
    const items = this.#outbox.acknowledge(ack);
    const last = items.at(-1);
    if (last) {
      if (last.repeated || last.sentAt === undefined) this.#roundTrip.reset();
      else this.#roundTrip.sample(this.#deps.clock.now() - last.sentAt);
      this.#probe = 'no';
      this.#disarm();
      this.#giveRoom();
    }
    this.wake();
  }

  /** The session is open, with the peer's first credit. */
  opened(credit: number): void {
    this.#credit = credit;
    this.#roundTrip.reset();
    this.#disarm();
    this.wake();
  }

  /** The peer is in a new life: what was sent and not acknowledged is lost to us, the rest is numbered anew. */
  restart(reason: FabricError): void {
    const lost = this.#outbox.restart();
    this.#probe = 'no';
    this.#credit = 0;
    this.#report(lost, reason);
  }

  /** The peer closed in order after `ack`: what it did not take over goes out in the next session. */
  renumber(ack: number): void {
    this.#outbox.renumber(ack);
    this.#probe = 'no';
    this.#credit = 0;
    this.wake();
  }

  /** Forgets what the path was busy with and sends everything unacknowledged again: the path is new, or back. */
  resend(): void {
    this.#busy = 0;
    this.#roundTrip.reset();
    this.#outbox.rewind();
    this.#probe = this.#outbox.unacknowledged > 0 ? 'due' : 'no';
    this.wake();
  }

  /** Sends what there is to send, at the end of the current turn, so that what is written together leaves together. */
  wake(): void {
    if (this.#pumpScheduled || this.#abort.signal.aborted) return;
    this.#pumpScheduled = true;
    queueMicrotask(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  /** Ends; returns what was still waiting. */
  stop(): readonly OutboxItem[] {
    this.#abort.abort();
    this.#disarm();
    const left = this.#outbox.clear();
    this.#giveRoom();
    return left;
  }

  /** Gives up on everything. */
  failAll(error: FabricError): void {
    this.#disarm();
    this.#report(this.#outbox.clear(), error);
    this.#giveRoom();
  }

  #pump(): void {
    if (this.#abort.signal.aborted || this.#busy !== 0) return;
    if (this.#outbox.size > 0) this.#arm();
    if (this.#deps.path().state !== 'live') return;
    const ends = this.#deps.ends();
    if (!ends) {
      if (this.#outbox.size > 0) this.#deps.open();
      return;
    }
    const maxBytes = this.#deps.path().maxFrameBytes - FRAME_OVERHEAD_BYTES;
    const next = this.#probe === 'sent' ? undefined : this.#outbox.peek(this.#credit);
    if (next && needsSpill(next.encoded, maxBytes)) {
      this.#spill(next);
      return;
    }
    const batch = next && this.#outbox.take(this.#credit, maxBytes, this.#deps.clock.now());
    if (batch) this.#transmit(ends, batch.first, batch.entries);
    else if (this.#deps.acknowledgementDue()) this.#transmit(ends, this.#outbox.lastNumber + 1, undefined);
  }

  #transmit(ends: SessionEnds, first: number, entries: string | undefined, ask = false): void {
    const probing = entries !== undefined && this.#probe === 'due';
    if (probing) this.#probe = 'sent';
    const frame: FrameOf<'data'> = { kind: 'data', ...ends, first, ...this.#deps.position() };
    if (entries !== undefined) frame.entries = entries;
    if (probing || ask) frame.ask = true;
    this.#occupy(this.#deps.path().send(frame, this.#deps.peer));
  }

  /** Marks the path busy until `work` settles; a failure is tried again later, unless `refused` takes it. */
  #occupy(work: Promise<void>, refused?: (error: FabricError) => boolean): void {
    this.#serial += 1;
    const mine = this.#serial;
    this.#busy = mine;
    const ended = (error?: FabricError): void => {
      if (this.#busy !== mine) return;
      this.#busy = 0;
      if (error && !refused?.(error)) this.#failed(error);
      else this.wake();
    };
    work.then(() => { ended(); }, (caught: unknown) => { ended(FabricError.from(caught)); }); // prettier-ignore
  }

  #failed(error: FabricError): void {
    const { logger, peer } = this.#deps;
    logger.debug({ peer, error }, 'the message node did not take a frame');
    this.#outbox.rewind();
    this.#probe = this.#outbox.unacknowledged > 0 ? 'due' : 'no';
    this.#roundTrip.backOff();
    const { retryAfterMs } = error.details;
    this.#disarm();
    this.#arm(typeof retryAfterMs === 'number' ? retryAfterMs : undefined);
  }

  #spill(item: OutboxItem): void {
    const { peer, undeliverable } = this.#deps;
    const { media, name } = this.#deps.path();
    const { envelope } = item.encoded;
    const refused = (error: FabricError): boolean => {
      if (error.retryable) return false;
      this.#outbox.withdraw(envelope.id);
      undeliverable(envelope, error);
      return true;
    };
    if (!media) {
      refused(new FabricError('too-large', `A message to ${peer} fits into no frame of ${name}, which has no media store.`));
      this.wake();
      return;
    }
    const spilling = spillBody(item.encoded, media, this.#abort.signal);
    this.#occupy(spilling.then((encoded) => { item.encoded = encoded; }), refused); // prettier-ignore
  }

  #arm(afterMs?: number): void {
    if (this.#armed) return;
    this.#armed = true;
    const wait = Math.max(afterMs ?? 0, this.#roundTrip.resendAfterMs());
    this.#resendTimer = this.#deps.clock.setTimeout(() => { this.#silence(); }, wait); // prettier-ignore
  }

  #disarm(): void {
    this.#armed = false;
    this.#deps.clock.clearTimeout(this.#resendTimer);
  }

  /** Nothing has come back in time. */
  #silence(): void {
    this.#armed = false;
    const { clock, ends, path, open } = this.#deps;
    const now = clock.now();
    this.#report(this.#outbox.expireUnsent(now), this.#diagnosis ?? offline(this.#deps.peer));
    if (this.#outbox.allSentExpired(now)) this.#deps.abandon();
    if (this.#outbox.size === 0) return;
    if (path().state === 'live' && this.#busy === 0) {
      this.#backOff();
      const session = ends();
      if (!session) open();
      else if (this.#outbox.unacknowledged > 0) this.#resendProbing();
      else this.#transmit(session, this.#outbox.lastNumber + 1, undefined, true);
    }
    this.#arm();
  }

  /** Sends the oldest unacknowledged frame again and waits for its acknowledgement before sending more. */
  #resendProbing(): void {
    this.#outbox.rewind();
    this.#probe = 'due';
    this.wake();
  }

  #backOff(): void {
    this.#roundTrip.backOff();
    if (this.#roundTrip.failures !== SUSPECT_AFTER_FAILURES) return;
    this.#deps.suspect();
    void this.#diagnose();
  }

  async #diagnose(): Promise<void> {
    const { peer, path, logger } = this.#deps;
    try {
      this.#diagnosis = await path().diagnose?.(peer);
    } catch (error) {
      logger.debug({ peer, error }, 'the silence of a peer could not be explained');
    }
  }

  #report(items: readonly OutboxItem[], error: FabricError): void {
    for (const { encoded, withdrawn } of items) if (!withdrawn) this.#deps.undeliverable(encoded.envelope, error);
  }

  #giveRoom(): void {
    if (this.#outbox.size > this.#deps.settings.congestedAt / 2) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resume of waiters) resume();
  }
}

/** The peer took nothing. */
const offline = (peer: RuntimeAddress): FabricError =>
  new FabricError('offline', `${peer} has not answered; it may be switched off or unreachable. Try again later.`, { details: { peer } });
