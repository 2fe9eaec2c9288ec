/**
 * The journal of one durable hyperty: what the store has of it, and the transactions that change that. While the store
 * takes nothing, a transaction waits and is tried again; nothing of it has left.
 */
import type { Address, HypertyAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { delay } from '../platform/clock.ts';
import type { Lease, Write } from '../store/store.ts';
import type { DurableDeps } from './durable-deps.ts';
import { forgetRows } from './ending.ts';
import type { Incarnation } from './incarnation.ts';
import { keys, ofHyperty, placeOfKey } from './keys.ts';
import type { Kind } from './kind.ts';
import { decodeRecord, type HypertyRecord } from './record.ts';
import { compose, recordWrites, type Transaction, type Turn } from './turn.ts';

const RETRY_MS = { first: 100, longest: 5000 };

/** What the store has of one hyperty. */
export class Journal {
  readonly #address: HypertyAddress;
  readonly #deps: DurableDeps;
  readonly #isOver: () => boolean;
  /**
   * The lease under which all is read and written. Never a later one: in between another process may have gone on from what
   * was read.
   */
  readonly #lease: Lease | undefined;
  #record: HypertyRecord | undefined;

  /** @param isOver tells that nothing is to be tried again, as this process stops or does not run the hyperty any more */
  constructor(address: HypertyAddress, deps: DurableDeps, isOver: () => boolean) {
    this.#address = address;
    this.#deps = deps;
    this.#isOver = isOver;
    this.#lease = deps.lease(address);
  }

  /** What was kept last; undefined before the first time, and after the end. */
  get record(): HypertyRecord | undefined {
    return this.#record;
  }

  /** Reads what was kept. @throws FabricError `invalid` when it is damaged, `closed` */
  async read(): Promise<HypertyRecord | undefined> {
    const text = await this.patiently(() => this.#deps.store.get(keys.record(this.#address)));
    if (text === undefined) return undefined;
    const record = decodeRecord(text, this.#address);
    this.#deps.sequencer.saw(record.lastNumber);
    return record;
  }

  /** Results of steps that were kept before the machine took them. */
  async results(): Promise<ReadonlyMap<string, { readonly value: unknown }>> {
    const rows = await this.patiently(() => this.#deps.store.range(ofHyperty('x', this.#address)));
    return new Map(rows.map(({ key, value }) => [placeOfKey(key), JSON.parse(value) as { value: unknown }]));
  }

  /** From now on this is what was kept: brought to the version of its definition, which the next transaction keeps. */
  adopt(record: HypertyRecord): void {
    this.#record = record;
  }

  /**
   * Keeps a turn; `ends` keeps that the hyperty has ended.
   * @returns what may leave now; undefined when this process may not write
   * @throws what cannot be kept at all: TypeError, FabricError `too-large invalid`
   */
  async keep(incarnation: Incarnation, kind: Kind, ends: boolean): Promise<Kept | undefined> {
    const { turn, state } = incarnation.takeTurn();
    const address = this.#address;
    const transaction = await this.#composed(turn);
    if (!transaction) return undefined;
    const record = ends
      ? undefined
      : await recordOf({
          state,
          kind,
          incarnation,
          lastNumber: transaction.lastNumber,
          turns: (this.#record?.turns ?? 0) + 1,
        });
    const others = ends ? await this.patiently(() => forgetRows(this.#deps.store, address)) : [];
    const writes = [...transaction.writes, ...recordWrites(address, record, this.#record), ...others];
    if (!(await this.commit(writes))) return undefined;
    this.#record = record;
    return { turn, transaction };
  }

  async #composed(turn: Turn): Promise<Transaction | undefined> {
    const address = this.#address;
    const token = this.#lease?.token ?? 0;
    const deps = { ...this.#deps, address, token, hosts: (to: Address) => this.#hosts(to) };
    try {
      return await compose(turn, this.#record?.lastNumber ?? 0, deps);
    } catch (caught) {
      if (FabricError.from(caught).code === 'closed') return undefined; // its store could not say who lives there
      throw caught;
    }
  }

  #hosts(to: Address): boolean | Promise<boolean> {
    let asked: boolean | Promise<boolean> | undefined = this.#deps.hosts(to);
    if (!(asked instanceof Promise)) return asked;
    return this.patiently(async () => {
      const answer = asked ?? this.#deps.hosts(to);
      asked = undefined;
      return answer;
    });
  }

  /** True once the writes are durable; false when this process may not write them. */
  async commit(writes: readonly Write[]): Promise<boolean> {
    const { store, lost } = this.#deps;
    const own = this.#lease;
    if (!own) return false;
    let isUnknown = false;
    try {
      return await this.patiently(async () => {
        if (isUnknown && (await this.#isKept(writes))) return true;
        try {
          await store.commit(writes, [own]);
        } catch (caught) {
          isUnknown ||= FabricError.from(caught).details['outcome'] === 'unknown';
          throw caught;
        }
        return true;
      });
    } catch (caught) {
      const error = FabricError.from(caught);
      if (error.code === 'conflict') lost(this.#address, own);
      else if (error.code !== 'closed') throw caught;
      return false;
    }
  }

  /**
   * Tells whether a transaction of which nobody knows has been carried out. It must not be carried out twice: mail that it
   * brought may have been handled meanwhile. The record shows it, as it counts its turns.
   */
  async #isKept(writes: readonly Write[]): Promise<boolean> {
    const key = keys.record(this.#address);
    const record = writes.find((write) => write.key === key);
    if (!record) return false; // such a one does no harm when it is repeated
    return ((await this.#deps.store.get(key)) ?? null) === record.value;
  }

  /** Does something with the store, again and again while that fails. @throws FabricError `closed` when it is over */
  async patiently<T>(work: () => Promise<T>): Promise<T> {
    const { logger, bus } = this.#deps;
    for (let waitMs = RETRY_MS.first; ; waitMs = Math.min(RETRY_MS.longest, waitMs * 2)) {
      try {
        return await work();
      } catch (caught) {
        const error = FabricError.from(caught);
        if (error.code !== 'storage') throw caught;
        if (this.#isOver()) throw new FabricError('closed', `${this.#address} is not run here any more.`);
        if (waitMs === RETRY_MS.first)
          logger.warn({ address: this.#address, error }, 'a durable hyperty waits for its store');
        await delay(bus.clock, waitMs);
        if (this.#isOver()) throw new FabricError('closed', `${this.#address} is not run here any more.`);
      }
    }
  }
}

/** A turn that is durable, and what may leave of it. */
export interface Kept {
  readonly turn: Turn;
  readonly transaction: Transaction;
}

/** Lets leave what has been kept. A promise means congestion. */
export function release(
  { turn, transaction }: Kept,
  address: HypertyAddress,
  deps: DurableDeps,
): void | Promise<void> {
  const { bus, send, arrived, handled } = deps;
  for (const envelope of transaction.passing) void bus.forward(envelope);
  for (const { envelope, error } of transaction.refused) bus.deadLetters.add(envelope, error);
  for (const { to, row } of transaction.deliveries) arrived(to, row);
  for (const saying of turn.publications) void bus.post({ ...saying, from: address });
  const congestion = send(transaction.outgoing);
  handled(turn.rows);
  for (const run of turn.after) run();
  return congestion;
}

interface RecordParts {
  readonly turns: number;
  readonly state: ReturnType<Incarnation['takeTurn']>['state'];
  readonly kind: Kind;
  readonly incarnation: Incarnation;
  readonly lastNumber: number;
}

async function recordOf({
  state,
  kind,
  incarnation,
  lastNumber,
  turns,
}: RecordParts): Promise<HypertyRecord> {
  const { descriptor, durable } = kind.definition;
  const reminders = await incarnation.reminders();
  const times = [...state.timers.map(({ dueMs }) => dueMs), incarnation.remindMs ?? Infinity];
  const alarmMs = Math.ceil(Math.min(...times));
  const alarm = Number.isFinite(alarmMs) ? { alarmMs } : {};
  const { name: machine } = descriptor;
  return { machine, version: durable.version, turns, ...state, reminders, lastNumber, ...alarm };
}
