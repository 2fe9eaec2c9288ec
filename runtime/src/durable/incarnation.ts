/**
 * A durable hyperty's machine and all that belongs to it in memory: what it says and asks, its timers and reminders. It
 * gathers what follows from events in a turn, and neither reads nor writes the store. It can begin anew, from what was
 * kept, as often as it crashes.
 */
import type { FabricContext, Inquiry, Reminder } from '../actor/context.ts';
import { crashOf, Dialogue, type Saying } from '../actor/dialogue.ts';
import type { Bus } from '../bus/bus.ts';
import { lateAnswer, tooLate } from '../bus/refusal.ts';
import type { HypertyAddress } from '../message/address.ts';
import { errorBody, type Envelope, type EnvelopeHeader } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import type { Write } from '../store/store.ts';
import type { OpenSpan } from '../platform/tracing.ts';
import { Inquiries } from './inquiries.ts';
import type { Creation } from './kind.ts';
import { Machine } from './machine.ts';
import { oddityIn, type HypertyRecord } from './record.ts';
import { Reminders } from './reminders.ts';
import { Results } from './results.ts';
import { Turn } from './turn.ts';

/** An answer is kept for whoever asked for a day, whatever deadline the question had. */
const ANSWER_TTL_MS = 24 * 3_600_000;
/** They are all in the record, which is written at each turn. */
const OPEN_REQUESTS = { capacity: 1024, perOwner: 256 };

/** What an incarnation tells its owner. */
export interface IncarnationDeps {
  readonly address: HypertyAddress;
  readonly bus: Bus;
  readonly logger: Logger;
  /** Something waits to be done or kept. */
  readonly wake: () => void;
  /** Keeps one thing at once, apart from any turn. */
  readonly keep: (write: Write) => Promise<unknown>;
}

/** A durable hyperty in memory, between what was kept last and what is to be kept next. */
export class Incarnation implements FabricContext {
  readonly address: HypertyAddress;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly #wake: () => void;
  /** Results of steps that the machine has not taken. */
  readonly results: Results;
  readonly #inquiries: Inquiries;
  #dialogue: Dialogue | undefined;
  #machine: Machine | undefined;
  #reminders = new Reminders({});
  #turn = new Turn();
  #due: (() => void)[] = [];
  #crash: { readonly thrown: unknown } | undefined;

  constructor({ address, bus, logger, wake, keep }: IncarnationDeps) {
    this.address = address;
    this.bus = bus;
    this.logger = logger;
    this.#wake = wake;
    const due = (take: (turn: Turn) => void): void => this.turn(() => take(this.#touch()));
    this.results = new Results({ address, keep, due });
    this.#inquiries = new Inquiries(bus.clock, (run) => this.turn(run));
  }

  /** What has been thrown since it began; then it must begin anew. */
  get crash(): { readonly thrown: unknown } | undefined {
    return this.#crash;
  }

  /** True while something waits to be done or kept. */
  get hasWork(): boolean {
    return (
      this.#turn.isTouched ||
      this.#due.length > 0 ||
      (this.#reminders.nextMs ?? Infinity) <= this.bus.clock.now()
    );
  }

  /** True while somebody follows its snapshot: then it stays in memory. */
  get isFollowed(): boolean {
    return this.#dialogue?.isFollowed ?? false;
  }

  get isDone(): boolean {
    return this.#machine?.isDone ?? false;
  }

  /** State value of its machine. */
  get state(): unknown {
    return (this.#machine?.actor.getSnapshot() as { value?: unknown } | undefined)?.value;
  }

  /** When the earliest reminder is due. */
  get remindMs(): number | undefined {
    return this.#reminders.nextMs;
  }

  /**
   * Begins, from what was kept or for the first time. What had not been kept is forgotten.
   * @throws FabricError `invalid` when what was kept does not fit
   */
  begin({ kind, input }: Creation, record: HypertyRecord | undefined): void {
    this.discard();
    const { address, bus, logger } = this;
    const hosting = { address, definition: kind.definition, options: { ...kind.options, input } };
    this.#dialogue ??= new Dialogue({
      hosting,
      bus,
      logger,
      say: (saying, untilMs = Infinity) => {
        this.post({ ...saying, deadline: Math.min(untilMs, bus.clock.now() + ANSWER_TTL_MS) });
      },
      openRequests: OPEN_REQUESTS,
      publish: (saying) => void this.#touch().publications.push({ ...saying, ...this.#dialogue?.trace }),
    });
    this.#dialogue.reopen(record?.open ?? []);
    this.#reminders = new Reminders(record?.reminders ?? {});
    this.#machine = new Machine(hosting, this, {
      stored: record,
      events: {
        changed: () => void this.#touch(),
        crashed: (thrown) => this.#crashed(thrown),
        completed: () => void this.#touch(),
      },
    });
    this.#dialogue.follow(this.#machine.actor);
    if (!record) this.#touch();
    this.#machine.start(record?.timers ?? []);
  }

  /** Lets go of the machine and of all that has gathered. */
  discard(): void {
    this.#machine?.discard();
    this.#machine = undefined;
    this.#inquiries.clear();
    this.results.forgetTakers();
    this.#turn = new Turn();
    this.#due = [];
    this.#crash = undefined;
  }

  /** Does what has become due outside of messages. */
  runDue(): void {
    const due = this.#due;
    this.#due = [];
    for (const run of due) {
      run();
      if (this.#crash) return;
    }
    for (const event of this.#reminders.take(this.bus.clock.now())) {
      this.#touch();
      this.#machine?.actor.send(event);
    }
  }

  /** Handles a message. */
  handle(envelope: Envelope): void {
    this.#touch();
    const span = this.bus.tracing?.begin('process', envelope);
    const refusal =
      envelope.type === 'response' ? this.#settle(envelope, span) : this.#process(envelope, span);
    if (span) span.end({ error: this.crash ? crashOf(this.address, this.crash.thrown) : refusal });
  }

  #settle(envelope: Envelope, span: OpenSpan | undefined): FabricError | undefined {
    const trace = span?.trace ?? envelope.trace;
    if (this.#speaking().within(trace, () => this.#inquiries.take(envelope))) return undefined;
    const late = lateAnswer(envelope);
    this.bus.deadLetters.add(envelope, late);
    return late;
  }

  #process(envelope: Envelope, span: OpenSpan | undefined): FabricError | undefined {
    const dialogue = this.#speaking();
    try {
      const { deadline } = envelope;
      if (deadline !== undefined && deadline <= this.bus.clock.now()) throw tooLate(envelope);
      return dialogue.handle(envelope, dialogue.eventOf(envelope), span);
    } catch (caught) {
      const error = FabricError.from(caught);
      dialogue.respond(envelope, errorBody(error));
      return error;
    }
  }

  /** Says good-bye to those who wait for it or follow it. */
  end(last: 'done' | 'stopped', reason: FabricError): void {
    this.#touch();
    if (last === 'done') this.#speaking().show();
    this.#speaking().end(last === 'done' ? undefined : { status: 'stopped' }, reason);
  }

  /** Tells the sender of a message that cannot be handled. */
  refuse(envelope: Envelope, error: FabricError): void {
    if (envelope.type !== 'response') this.#speaking().respond(envelope, errorBody(error));
  }

  /** The turn that is gathering. */
  get gathering(): Turn {
    return this.#turn;
  }

  /**
   * What there is to be kept now; a new turn begins with it.
   * @throws TypeError for state that is not plain data
   */
  takeTurn(): {
    readonly turn: Turn;
    readonly state: Pick<HypertyRecord, 'snapshot' | 'timers' | 'isBusy' | 'open'>;
  } {
    const machine = this.#machine;
    if (!machine) throw new TypeError(`${this.address} has not begun.`);
    const turn = this.#turn;
    this.#turn = new Turn();
    const state = { ...machine.capture(), open: this.#speaking().open };
    const oddity = oddityIn(state.snapshot) ?? oddityIn(state.timers, 'timers');
    if (oddity !== undefined)
      throw new TypeError(`${oddity}, which cannot be kept: a durable hyperty's state is plain data.`);
    return { turn, state };
  }

  /** The reminders as they are to be kept. @throws FabricError `invalid` */
  async reminders(): Promise<HypertyRecord['reminders']> {
    await this.#reminders.open(this.bus.clock.now());
    return this.#reminders.stored;
  }

  post(saying: Saying): void {
    this.#say(saying.trace === undefined ? { ...saying, ...this.#dialogue?.trace } : saying);
  }

  answer(request: EnvelopeHeader, event: unknown, provisional: boolean): void {
    this.#speaking().answer(request, event, provisional);
  }

  ask(inquiry: Inquiry): () => void {
    const { id, isAsked, to, body, deadline } = inquiry;
    if (!isAsked) {
      this.#say({ to, type: 'execute', body, deadline, ...this.#dialogue?.trace }, id);
    }
    return this.#inquiries.add(inquiry);
  }

  afterCommit(run: () => void): void {
    this.#touch().after.push(run);
  }

  turn(run: () => void): void {
    this.#due.push(run);
    this.#wake();
  }

  remind(id: string, reminder: Reminder | undefined): void {
    this.#touch();
    this.#reminders.set(id, reminder, this.bus.clock.now());
  }

  #touch(): Turn {
    if (!this.#turn.isTouched) {
      this.#turn.isTouched = true;
      this.#wake();
    }
    return this.#turn;
  }

  /** Its span lasts until it is durable, and is not shown when that never comes. */
  #say(saying: Saying, id = this.bus.tracing ? this.bus.ids.next() : undefined): void {
    const turn = this.#touch();
    const span =
      id === undefined ? undefined : this.bus.tracing?.begin('send', { ...saying, id, from: this.address });
    if (span) turn.after.push(() => span.end());
    const trace = span?.trace === undefined ? {} : { trace: span.trace };
    turn.said.push({ saying: { ...saying, ...trace }, ...(id === undefined ? {} : { id }) });
  }

  #crashed(thrown: unknown): void {
    this.#crash ??= { thrown };
    this.#wake();
  }

  #speaking(): Dialogue {
    if (this.#dialogue) return this.#dialogue;
    throw new TypeError(`${this.address} has not begun.`);
  }
}
