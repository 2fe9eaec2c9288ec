/** The receiving half of a link: order, credit, and when to acknowledge. */
import type { Clock, Timer } from '../platform/clock.ts';
import { Delivery, type DeliveryDeps } from './delivery.ts';
import { decodeEntries } from './entry.ts';
import type { FrameOf } from './frame.ts';
import { Inbox } from './inbox.ts';
import type { LinkSettings } from './settings.ts';

/** What the receiving half needs from its link. */
export interface ReceiverDeps extends Omit<DeliveryDeps, 'progress' | 'maxBodyBytes'> {
  readonly clock: Clock;
  readonly settings: LinkSettings;
  /** An acknowledgement became due: let the sending half speak. */
  readonly wake: () => void;
  /** True when the peer has long taken nothing of the much that waits for it. */
  readonly isStuck: () => boolean;
}

/** The receiving half of one link. */
export class Receiver {
  readonly #deps: ReceiverDeps;
  #inbox = new Inbox();
  #delivery: Delivery;
  /** Highest number that we let the peer send. */
  #granted = 0;
  #said = 0;
  #due = false;
  #timer: Timer;

  constructor(deps: ReceiverDeps) {
    this.#deps = deps;
    this.#delivery = this.#newDelivery();
  }

  /** Number of the last entry that was taken over, and all before it. */
  get delivered(): number {
    return this.#delivery.delivered;
  }

  /** Entries that are still being handled. */
  get inProgress(): number {
    return this.#delivery.inProgress;
  }

  /** True when so much is being handled here that the peer may have to wait for credit. */
  get holdsPeerBack(): boolean {
    return this.#delivery.inProgress >= this.#deps.settings.windowEnvelopes / 2;
  }

  /** True when the peer should hear how far we are. */
  get due(): boolean {
    return this.#due;
  }

  /** What we grant now; remembered, as the peer may use it. Nothing new while it takes nothing itself. */
  grant(): number {
    if (this.#deps.isStuck() && this.#granted > 0) return this.#granted;
    const open = this.#delivery.settled + this.#deps.settings.windowEnvelopes;
    this.#granted = Math.max(this.#granted, open);
    return this.#granted;
  }

  /** How far we are and what we grant; nothing is due after this has been said. */
  position(): { readonly ack: number; readonly limit: number } {
    this.#said = this.#delivery.delivered;
    this.#due = false;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    return { ack: this.#said, limit: this.grant() };
  }

  /** Starts a new session: numbers begin at 1 again. */
  reset(): void {
    this.stop();
    this.#inbox = new Inbox();
    this.#delivery = this.#newDelivery();
    this.#granted = 0;
    this.#said = 0;
    this.#due = false;
  }

  /** Takes the entries of a data frame. @throws FabricError `invalid` when they cannot be read */
  accept({ first, entries, ask }: FrameOf<'data'>): void {
    if (entries !== undefined) {
      const arrival = this.#inbox.accept(first, decodeEntries(entries), {
        limit: this.#granted,
        bytes: entries.length,
      });
      this.#delivery.push(arrival.ready);
      if (arrival.irregular) this.acknowledgeNow();
      else if (this.#delivery.delivered > this.#said) this.#acknowledgeSoon();
    }
    if (ask) this.acknowledgeNow();
  }

  /** Makes an acknowledgement due at once. */
  acknowledgeNow(): void {
    this.#due = true;
    this.#deps.wake();
  }

  stop(): void {
    this.#delivery.stop();
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #acknowledgeSoon(): void {
    const { clock, settings } = this.#deps;
    if (this.#delivery.delivered - this.#said >= settings.windowEnvelopes / 4) this.acknowledgeNow();
    else
      this.#timer ??= clock.setTimeout(() => {
        this.#timer = undefined;
        this.acknowledgeNow();
      }, settings.ackDelayMs);
  }

  /** Entries were handed on, kept or handled late: the peer may need to hear of it, or of new credit. */
  #progress(): void {
    const { windowEnvelopes } = this.#deps.settings;
    const open = this.#delivery.settled + windowEnvelopes;
    if (open - this.#granted >= windowEnvelopes / 4) this.acknowledgeNow();
    else if (this.#delivery.delivered > this.#said) this.#acknowledgeSoon();
  }

  #newDelivery(): Delivery {
    const { settings, ...deps } = this.#deps;
    return new Delivery({
      ...deps,
      maxBodyBytes: settings.maxBodyBytes,
      progress: () => {
        this.#progress();
      },
    });
  }
}
