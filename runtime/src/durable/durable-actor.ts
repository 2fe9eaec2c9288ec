/**
 * A durable hyperty in memory. It takes mail from its box in the store, lets its machine make transitions, and keeps what
 * follows in one transaction; only then anything leaves. When the machine crashes it starts again from what was kept;
 * when nothing happens it passes out of memory.
 */
import { crashOf } from '../actor/dialogue.ts';
import type { HypertyAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { delay } from '../platform/clock.ts';
import { CrashCare } from './crash-care.ts';
import type { DurableDeps } from './durable-deps.ts';
import { ended, erase, refuseMail } from './ending.ts';
import { Halted, notEnded, notMade } from './halted.ts';
import { Incarnation } from './incarnation.ts';
import { Journal, release } from './journal.ts';
import { migrate, unknownKind, type Creation } from './kind.ts';
import { Mailbag } from './mailbag.ts';
import type { MailRow } from './record.ts';
import { ReminderTimer } from './reminders.ts';
import type { Write } from '../store/store.ts';

/** How it is with a durable hyperty in memory. `halted`: it cannot run; its messages are kept. */
export type DurableStatus = 'loading' | 'running' | 'restarting' | 'halted' | 'done' | 'gone';

const CRASHED = 'a durable hyperty crashed; it goes on from what was kept';
/** Messages that share one transaction. */
const BATCH = 64;

/** One durable hyperty in memory. */
export class DurableActor {
  readonly address: HypertyAddress;
  readonly mailbag: Mailbag;
  /** Settles with whether it exists, once that is known and, for a new one, kept. */
  readonly loaded: Promise<boolean>;
  readonly #deps: DurableDeps;
  readonly #incarnation: Incarnation;
  readonly #journal: Journal;
  readonly #care: CrashCare;
  #creation: Creation | undefined;
  #status: DurableStatus = 'loading';
  #reason: FabricError | undefined;
  #batch: readonly MailRow[] = [];
  /** Messages that are handled one by one, as there is a bad one among them. */
  #careful = 0;
  #working: Promise<void> | undefined;
  readonly #timer: ReminderTimer;
  #activeAt: number;
  /** Decides on messages while it is halted. */
  halted: Halted | undefined;
  /** How often it was woken. */
  #calls = 0;
  #isRemoved = false;
  #isStopping = false;

  /** @param creation makes it when the store has none */
  constructor(address: HypertyAddress, deps: DurableDeps, creation: Creation | undefined) {
    this.address = address;
    this.#deps = deps;
    this.#creation = creation;
    this.mailbag = new Mailbag(address, deps);
    const { bus, logger } = deps;
    this.#journal = new Journal(address, deps, () => this.#isStopping || this.#isOver());
    const keep = async (write: Write): Promise<unknown> => this.#isOver() || this.#journal.commit([write]);
    this.#incarnation = new Incarnation({ address, bus, logger, keep, wake: () => this.wake() });
    this.#care = new CrashCare(address, deps, { journal: this.#journal, mailbag: this.mailbag });
    this.#timer = new ReminderTimer(bus.clock, () => this.wake());
    this.#activeAt = bus.clock.now();
    this.loaded = this.#load();
    this.loaded.catch(() => undefined); // whoever made it hears of it
  }

  get status(): DurableStatus {
    return this.#status;
  }

  /** Why it is halted. */
  get reason(): FabricError | undefined {
    return this.#reason;
  }

  /** State value of its machine. */
  get state(): unknown {
    return this.#incarnation.state;
  }

  /** Milliseconds without anything to do; 0 while it must stay in memory. */
  idleMs(now: number): number {
    const isBusy = this.#working !== undefined || this.#journal.record?.isBusy === true;
    if (isBusy || this.#status !== 'running' || this.#hasWork || this.#incarnation.isFollowed) return 0;
    return now - this.#activeAt;
  }

  /** Passes out of memory at once; the store has all that was kept. */
  leave(): void {
    this.#leave('gone');
  }

  /** Lets what is under way end, then passes out of memory. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#working;
    this.#leave('gone');
  }

  /** Ends it for good, also one that cannot run. @throws FabricError `conflict` when this process may not */
  async remove(): Promise<void> {
    if (this.status === 'halted') {
      if (await erase(this.address, this.#journal, this.#deps)) this.#leave('done');
    } else {
      this.#isRemoved = true;
      this.wake();
      await this.#working;
    }
    if (this.status !== 'done') throw notEnded(this.address);
  }

  /** Mail, a timer, or something that was asked for has come. */
  wake(): void {
    this.#calls += 1;
    if (this.#working || this.#status !== 'running' || this.#isStopping) return;
    this.#working = this.#work()
      .catch((caught: unknown) => {
        this.#halt(FabricError.from(caught));
      })
      .finally(() => {
        this.#working = undefined;
        if (this.#hasWork) this.wake();
      });
  }

  get #hasWork(): boolean {
    const { crash, hasWork } = this.#incarnation;
    return this.#isEnding || crash !== undefined || hasWork || !this.mailbag.isEmpty;
  }

  #isOver = (): boolean => this.#status === 'gone' || this.#status === 'done';

  /** Nothing more is handled. What waits is refused, and then all of it goes. */
  get #isEnding(): boolean {
    return this.#isRemoved || this.#incarnation.isDone;
  }

  async #load(): Promise<boolean> {
    try {
      const record = await this.#journal.read();
      if (this.#status !== 'loading') return false;
      if (!record) return await this.#loadNew();
      const kind = this.#deps.kindOf(record.machine);
      if (!kind) throw unknownKind(this.address, record.machine);
      this.#creation = { kind, input: undefined };
      this.#journal.adopt(migrate(record, kind, this.address));
      if (record.isBusy) this.#incarnation.results.recall(await this.#journal.results());
      await this.#begin();
      return true;
    } catch (caught) {
      const error = FabricError.from(caught);
      if (error.code === 'closed') return this.#leave('gone');
      if (this.#status !== 'loading') throw error; // it was never there
      return this.#halt(error);
    }
  }

  /** A first life; it exists once that is kept. What was meant for an earlier one of the name is not for it. */
  async #loadNew(): Promise<boolean> {
    const mayGoOn = await this.#refuseAll();
    if (!mayGoOn || !this.#creation || this.#isOver()) return this.#leave('gone');
    this.#incarnation.begin(this.#creation, undefined);
    this.#status = 'running';
    this.wake();
    await this.#working;
    if (this.#journal.record || this.status === 'done') return true;
    throw this.#reason ?? notMade(this.address);
  }

  /** Refuses what is in the mailbox, and what comes meanwhile. */
  async #refuseAll(): Promise<boolean> {
    const calls = this.#calls;
    if (!(await refuseMail(this.address, this.#journal, this.#deps))) return false;
    return calls === this.#calls || this.#refuseAll();
  }

  async #begin(): Promise<void> {
    const status = this.#status;
    this.#incarnation.begin(this.#origin, this.#journal.record);
    await this.#incarnation.reminders();
    if (this.#status !== status) return; // it has left meanwhile
    this.#status = 'running';
    this.wake();
    this.#timer.set(this.#incarnation.remindMs);
  }

  /** Turn after turn, until nothing is left to do. */
  async #work(): Promise<void> {
    await Promise.resolve(); // what comes together is handled together
    while (this.#status === 'running' && !this.#isStopping) {
      while (!this.mailbag.isReady) await this.#journal.patiently(() => this.mailbag.fill());
      if (!this.#hasWork) return;
      if (this.#play()) await this.#keep();
      else await this.#recover(this.#incarnation.crash?.thrown);
    }
  }

  /** Lets the machine make its transitions. False when it crashed. */
  #play(): boolean {
    const incarnation = this.#incarnation;
    this.#batch = [];
    this.#activeAt = this.#deps.bus.clock.now();
    if (!this.#hasCrashed()) incarnation.runDue();
    if (this.#hasCrashed()) return false;
    this.#batch = this.mailbag.take(this.#careful > 0 ? 1 : BATCH);
    this.#careful = Math.max(0, this.#careful - 1);
    for (const row of this.#batch) {
      if (!this.mailbag.isNews(row, incarnation.gathering)) continue;
      if (this.#isEnding) incarnation.refuse(row.envelope, ended(this.address));
      else incarnation.handle(row.envelope);
      if (this.#hasCrashed()) return false;
    }
    if (this.#isEnding) incarnation.end(incarnation.isDone ? 'done' : 'stopped', ended(this.address));
    return true;
  }

  #hasCrashed(): boolean {
    return this.#incarnation.crash !== undefined;
  }

  /** Keeps what has gathered, and then lets it leave. */
  async #keep(): Promise<void> {
    const ends = this.#isEnding && this.mailbag.isEmpty;
    const calls = this.#calls;
    let congestion: void | Promise<void>;
    try {
      const kept = await this.#journal.keep(this.#incarnation, this.#origin.kind, ends);
      if (!kept) {
        this.#leave('gone');
        return;
      }
      this.mailbag.noteMarks(kept.turn.marks);
      congestion = release(kept, this.address, this.#deps);
    } catch (caught) {
      await this.#recover(caught); // it cannot be kept, now or later
      return;
    }
    const { alarmMs } = this.#journal.record ?? {};
    if (alarmMs !== undefined) this.#deps.alarms.note(alarmMs);
    if (ends) this.#leave('done');
    if (ends && calls !== this.#calls)
      this.#deps.wake(this.address); // what came meanwhile is refused by the next
    else this.#timer.set(this.#incarnation.remindMs);
    await congestion;
  }

  /** The machine has crashed: it begins again from what was kept. */
  async #recover(thrown: unknown): Promise<void> {
    const { address } = this;
    this.#deps.logger.error({ address, error: thrown }, CRASHED);
    const error = crashOf(address, thrown);
    if (!this.#journal.record) {
      this.#reason = error;
      this.#leave('gone');
      return;
    }
    this.#status = 'restarting';
    const batch = this.#batch;
    this.#batch = [];
    const { restMs, careful, verdict } = await this.#care.after(error, batch, this.#origin.kind.options);
    this.#careful = Math.max(careful, this.#careful);
    if (verdict) {
      this.#halt(error);
      if (verdict === 'escalate') this.#deps.escalate(address, error);
    }
    if (restMs > 0) await delay(this.#deps.bus.clock, restMs);
    if (this.status === 'restarting') await this.#begin(); // unless it was lost or stopped meanwhile
  }

  /** It cannot run; its messages are kept. */
  #halt(error: FabricError): true {
    this.#status = 'halted';
    this.#reason = error;
    this.halted = new Halted(this.address, error, this.#deps.logger);
    this.#incarnation.discard();
    return true;
  }

  #leave(status: 'done' | 'gone'): false {
    if (this.#isOver()) return false;
    this.#status = status;
    this.#incarnation.discard();
    this.#timer.clear();
    this.#deps.gone(this);
    return false;
  }

  get #origin(): Creation {
    if (this.#creation) return this.#creation;
    throw new TypeError(`${this.address} has not begun.`);
  }
}
