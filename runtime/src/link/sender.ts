/**
 * The sending half of a link: outbox, batching without waiting, credit, sending again. While one frame is being
 * handed to the message node, envelopes gather and leave together in the next one; at low load nothing waits.
 */
import { FabricError } from '../message/error.ts';
import { delay } from '../platform/clock.ts';
import { Congestion } from './congestion.ts';
import type { Encoded } from './entry.ts';
import { MAX_ENTRIES_CHARS, type FrameOf } from './frame.ts';
import { isDurable, needsSpill, Outbox, type Batch, type OutboxItem } from './outbox.ts';
import { InFlight } from './in-flight.ts';
import { ResendTimer } from './resend-timer.ts';
import type { SenderDeps, SessionEnds } from './sender-deps.ts';
import { FRAME_OVERHEAD_BYTES, SUSPECT_AFTER_FAILURES, URGENT_MS } from './settings.ts';
import { Silence } from './silence.ts';
import { spillBody } from './spill.ts';

/** The sending half of one link. */
export class Sender {
  readonly #deps: SenderDeps;
  readonly #outbox = new Outbox();
  readonly #timer: ResendTimer;
  readonly #congestion: Congestion;
  readonly #inFlight = new InFlight();
  readonly #peerSilence: Silence;
  readonly #abort = new AbortController();
  #credit = 0;
  #pumpScheduled = false;
  /** After a silence one frame goes out (`due`), and its acknowledgement is awaited (`sent`) before more. */
  #probe: 'no' | 'due' | 'sent' = 'no';
  /** When the peer was last heard of, epoch milliseconds. */
  #heardAt: number;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.#heardAt = deps.clock.now();
    this.#peerSilence = new Silence(deps.peer, deps.logger);
    this.#congestion = new Congestion(deps.settings.congestedAt, () => deps.clock.now());
    this.#timer = new ResendTimer(deps.clock, deps.settings, () => {
      this.#silence();
    });
  }

  get outbox(): Pick<Outbox, 'size' | 'durable' | 'unacknowledged' | 'lastNumber' | 'takeDurable'> {
    return this.#outbox;
  }
  /** True when nothing has come back in time for what was sent last. */
  get isUnanswered(): boolean {
    return this.#timer.roundTrip.failures > 0;
  }
  get roundTripMs(): number | undefined {
    return this.#timer.roundTrip.smoothedMs;
  }
  /**
   * Accepts an envelope. A promise means congestion: it settles when there is room, or when the peer waits for us.
   * @throws FabricError `mailbox-full` when far too much waits for this peer
   */
  send(encoded: Encoded, expiresAt: number): void | Promise<void> {
    const { peer, settings } = this.#deps;
    if (this.#outbox.size >= settings.fullAt) {
      const text = `${settings.fullAt} messages wait for ${peer} already; it takes them too slowly. Try again later.`;
      throw new FabricError('mailbox-full', text, { details: { peer } });
    }
    if (this.#outbox.size === 0) this.#congestion.progress();
    this.#outbox.add(encoded, expiresAt);
    this.wake();
    return this.#mayWait() ? this.#congestion.wait(this.#outbox.size) : undefined;
  }

  /** Nobody waits for a peer that waits for us, or that has stopped taking anything. */
  #mayWait(): boolean {
    if (this.isStuck || this.#deps.holdsPeerBack()) return false;
    return this.#timer.roundTrip.failures < SUSPECT_AFTER_FAILURES;
  }

  /** True when much waits and the peer has long taken none of it: it gets no new credit either. */
  get isStuck(): boolean {
    return this.#congestion.isStuck(this.#outbox.size);
  }

  /** Gives up on an envelope; returns why the peer never took it, undefined when it did. */
  withdraw(id: string): FabricError | undefined {
    this.wake(); // others may wait for its room
    return this.#outbox.withdraw(id) === 'gone' ? undefined : this.#peerSilence.reason;
  }

  /** Takes an acknowledgement and new credit. */
  acknowledged(ack: number, limit: number): void {
    this.#peerSilence.end();
    this.#heardAt = this.#deps.clock.now();
    this.#credit = Math.max(this.#credit, limit);
    const items = this.#outbox.acknowledge(ack);
    const last = items.at(-1);
    if (last) {
      this.#congestion.progress();
      if (last.repeated || last.sentAt === undefined) this.#timer.roundTrip.reset();
      else this.#timer.roundTrip.sample(this.#deps.clock.now() - last.sentAt);
      this.#probe = 'no';
      this.#timer.disarm();
      this.#congestion.relieve(this.#outbox.size);
    } else this.#timer.hurry();
    this.wake();
    this.#tell(items);
  }

  /** The session is open, with the peer's first credit. */
  opened(credit: number): void {
    this.#heardAt = this.#deps.clock.now();
    this.#credit = credit;
    this.#timer.roundTrip.reset();
    this.#timer.disarm();
    this.wake();
  }

  /** The peer is in a new life: what it can tell from a repeat goes out again (see {@link Outbox.restart}), the rest is lost. */
  restart(reason: FabricError, how: { readonly again: boolean }): void {
    const lost = this.#outbox.restart(how);
    this.#probe = 'no';
    this.#credit = 0;
    this.#report(lost, reason);
  }

  /** The peer closed in order after `ack`: what it did not take over goes out in the next session. */
  renumber(ack: number): void {
    const items = this.#outbox.renumber(ack);
    this.#probe = 'no';
    this.#credit = 0;
    this.wake();
    this.#tell(items);
  }

  /** Forgets what the path was busy with and sends everything unacknowledged again: the path is new, or back. */
  resend(): void {
    this.#inFlight.forget();
    this.#peerSilence.taken();
    this.#timer.roundTrip.reset();
    this.#rewind();
    this.wake();
  }

  /** Everything unacknowledged goes out again: one frame first, the rest once that one is acknowledged. */
  #rewind(): void {
    this.#outbox.rewind();
    this.#probe = this.#outbox.unacknowledged > 0 ? 'due' : 'no';
  }

  /** What was spilled to the media store of another path is spilled anew when it goes out again. */
  forgetSpills(): void {
    this.#outbox.forgetSpills();
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

  /** Asks for an acknowledgement at once, if one is missing. */
  urge(): void {
    const ends = this.#deps.ends();
    if (ends && this.#outbox.unacknowledged > 0 && !this.#inFlight.busy) this.#transmit(ends, { ask: true });
  }

  /** Ends; returns what was still waiting. */
  stop(): readonly OutboxItem[] {
    this.#abort.abort();
    this.#timer.disarm();
    const left = this.#outbox.clear();
    this.#congestion.relieve(this.#outbox.size);
    return left;
  }

  /** Gives up on everything. */
  failAll(error: FabricError): void {
    this.#timer.disarm();
    this.#report(this.#outbox.clear(), error);
  }

  #pump(): void {
    // Two that hold each other back would wait for ever: ours go on, and with them what the peer waits for.
    this.#congestion.relieve(this.#mayWait() ? this.#outbox.size : 0);
    if (this.#abort.signal.aborted || this.#inFlight.busy) return;
    if (this.#outbox.size > 0) this.#timer.arm();
    if (this.#deps.path().state !== 'live') return;
    const ends = this.#deps.ends();
    if (!ends) {
      if (this.#outbox.size > 0) this.#deps.open();
      return;
    }
    const maxBytes = Math.min(this.#deps.path().maxFrameBytes - FRAME_OVERHEAD_BYTES, MAX_ENTRIES_CHARS);
    const next = this.#probe === 'sent' ? undefined : this.#outbox.peek(this.#credit);
    if (next && needsSpill(next.encoded, maxBytes)) {
      this.#spill(next);
      return;
    }
    const batch = next && this.#outbox.take(this.#credit, maxBytes, this.#deps.clock.now());
    if (batch) this.#transmit(ends, batch);
    else if (this.#deps.acknowledgementDue()) this.#transmit(ends, {});
  }

  /** Sends a data frame: with entries, or only to acknowledge or (`ask`) to be acknowledged. */
  #transmit(ends: SessionEnds, content: Partial<Batch> & { readonly ask?: boolean }): void {
    const { first = this.#outbox.lastNumber + 1, entries, items = [], ask = false } = content;
    const probing = entries !== undefined && this.#probe === 'due';
    if (probing) this.#probe = 'sent';
    const frame: FrameOf<'data'> = { kind: 'data', ...ends, first, ...this.#deps.position() };
    if (entries !== undefined) frame.entries = entries;
    const soon = this.#deps.clock.now() + URGENT_MS; // `offline` or `timeout` hangs on it, for who waits only briefly
    if (probing || ask || items.some(({ expiresAt }) => expiresAt < soon)) frame.ask = true;
    this.#occupy(this.#deps.path().send(frame, this.#deps.peer));
  }

  /** Keeps the path busy until `work` settles; a failure is tried again later, unless `refused` takes it. */
  #occupy(work: Promise<void>, refused?: (error: FabricError) => boolean): void {
    this.#inFlight.track(work, (error) => {
      if (error && !refused?.(error)) this.#failed(error);
      else {
        this.#peerSilence.taken();
        this.wake();
      }
    });
  }

  /** Holds everything back for as long as the message node asks, or a little longer each time. */
  #failed(error: FabricError): void {
    const { logger, peer, clock, settings } = this.#deps;
    logger.debug({ peer, error }, 'the message node did not take a frame');
    this.#rewind();
    const { retryAfterMs } = error.details;
    const backOffMs = (settings.minResendMs / 4) * 2 ** Math.min(this.#peerSilence.refusals, 16);
    const waitMs =
      typeof retryAfterMs === 'number' ? retryAfterMs : Math.min(settings.maxResendMs, backOffMs);
    this.#peerSilence.refused(error);
    this.#inFlight.track(delay(clock, waitMs, this.#abort.signal), () => this.wake());
  }

  #spill(item: OutboxItem): void {
    const { peer, undeliverable, path, canSpill } = this.#deps;
    const { media, name } = path();
    const { envelope } = item.encoded;
    const text = `A message to ${peer} fits into no frame of ${name}, and the peer or ${name} cannot spill.`;
    const spilling =
      media && canSpill()
        ? spillBody(item.encoded, media, this.#abort.signal)
        : Promise.reject(new FabricError('too-large', text));
    const refused = (error: FabricError): boolean => {
      if (error.retryable) return false;
      const isAwaited = !item.withdrawn;
      this.#outbox.hollow(item);
      if (isAwaited) undeliverable(envelope, error);
      return true;
    };
    const spilled = spilling.then(({ spill }) => {
      if (spill) item.encoded = { ...item.encoded, spill };
    });
    this.#occupy(spilled, refused);
  }

  /** Nothing has come back in time. */
  #silence(): void {
    const { clock, ends, path, open, settings, abandon } = this.#deps;
    const now = clock.now();
    this.#report(this.#outbox.expire(now), this.#peerSilence.reason);
    // Not sooner: with the session goes whatever the peer has sent us and we have not acknowledged.
    if (this.#outbox.isForsaken && now - this.#heardAt >= settings.timeToLiveMs) abandon();
    if (this.#outbox.size === 0) return;
    if (path().state === 'live' && !this.#inFlight.busy) {
      this.#backOff();
      const session = ends();
      this.#rewind();
      if (!session) open();
      else if (this.#outbox.unacknowledged > 0) this.wake();
      else this.#transmit(session, { ask: true });
    }
    this.#timer.arm();
  }

  #backOff(): void {
    this.#timer.roundTrip.backOff();
    if (this.#timer.roundTrip.failures !== SUSPECT_AFTER_FAILURES) return;
    this.#congestion.relieve(0);
    this.#deps.suspect();
    void this.#peerSilence.diagnose(this.#deps.path());
  }

  /** Tells senders that the peer has what they keep; nothing more to those who were told that it has not. */
  #tell(acknowledged: readonly OutboxItem[]): void {
    for (const { encoded, withdrawn } of acknowledged)
      if (!withdrawn && isDurable(encoded.envelope)) this.#deps.kept(encoded.envelope);
  }

  #report(items: readonly OutboxItem[], error: FabricError): void {
    this.#congestion.relieve(this.#outbox.size);
    for (const { encoded } of items) this.#deps.undeliverable(encoded.envelope, error);
  }
}
