/**
 * What happens after a durable hyperty has crashed: to the messages at which it crashed, and how long it rests. A message
 * that was alone is tried again a few times, then parked; of several nobody knows which one it was, so they are handled
 * one by one. Without any message, supervision decides.
 */
import type { HostOptions } from '../actor/hosting.ts';
import { createSupervisor, type Supervisor } from '../actor/supervision.ts';
import type { HypertyAddress } from '../message/address.ts';
import type { FabricError } from '../message/error.ts';
import type { DurableDeps } from './durable-deps.ts';
import type { Journal } from './journal.ts';
import type { Mailbag } from './mailbag.ts';
import { parkingOf } from './parking.ts';
import { encode, mailOf, type MailRow } from './record.ts';

/** What is to be done. */
export interface Care {
  /** How long to rest, milliseconds. */
  readonly restMs: number;
  /** So many messages are to be handled one by one. */
  readonly careful: number;
  /** It is not to begin again. */
  readonly verdict?: 'stop' | 'escalate';
}

/** Crashes at one message before it is parked, where nothing else is said. */
const MAX_ATTEMPTS = 5;
/** Rest before a message is tried again; doubled each time. */
const AGAIN_MS = 20;

/** Looks after one hyperty that crashes. */
export class CrashCare {
  readonly #address: HypertyAddress;
  readonly #deps: DurableDeps;
  readonly #parts: { readonly journal: Journal; readonly mailbag: Mailbag };
  #supervisor: Supervisor | undefined;

  constructor(
    address: HypertyAddress,
    deps: DurableDeps,
    parts: { readonly journal: Journal; readonly mailbag: Mailbag },
  ) {
    this.#address = address;
    this.#deps = deps;
    this.#parts = parts;
  }

  /** Decides after a crash. @param batch messages whose handling was undone by it */
  async after(error: FabricError, batch: readonly MailRow[], options: HostOptions): Promise<Care> {
    const [bad] = batch;
    if (!bad) return this.#supervise(options);
    const { journal, mailbag } = this.#parts;
    if (batch.length > 1) {
      mailbag.putBack(batch);
      return { restMs: 0, careful: batch.length };
    }
    const row = { ...bad, attempts: (bad.attempts ?? 0) + 1 };
    if (row.attempts >= (options.maxAttempts ?? MAX_ATTEMPTS)) {
      await this.#park(row, error);
      return { restMs: 0, careful: 0 };
    }
    await journal.commit([{ key: row.key, value: encode(mailOf(row)) }]);
    mailbag.putBack([row]);
    return { restMs: AGAIN_MS * 2 ** (row.attempts - 1), careful: 1 };
  }

  #supervise({ supervision }: HostOptions): Care {
    this.#supervisor ??= createSupervisor(supervision);
    const verdict = this.#supervisor(this.#deps.bus.clock.now());
    if (typeof verdict === 'object') return { restMs: verdict.restartInMs, careful: 0 };
    return { restMs: 0, careful: 0, verdict };
  }

  /** Sets a message aside; whoever waits for its answer is told. */
  async #park(row: MailRow, error: FabricError): Promise<void> {
    const { journal, mailbag } = this.#parts;
    const address = this.#address;
    const { bus, logger, handled, parked } = this.#deps;
    if (!(await journal.commit(parkingOf({ address, row, error, at: bus.clock.now() })))) return;
    const { stream, envelope, attempts } = row;
    if (stream) mailbag.noteMarks(new Map([[stream.sender, stream]]));
    const text = 'a message was parked: its hyperty crashed at it each time';
    logger.error({ address, message: envelope.id, attempts }, text);
    handled([row]);
    parked(envelope, error);
  }
}
