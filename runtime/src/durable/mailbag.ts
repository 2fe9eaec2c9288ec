/** The mail of one durable hyperty as far as it is in memory: what is next, and what was heard last from whom. */
import type { HypertyAddress } from '../message/address.ts';
import type { Store } from '../store/store.ts';
import { keys, ofHyperty } from './keys.ts';
import { decodeRow, type Mail, type MailRow, type Stream } from './record.ts';

/** Rows that are read at one time. */
const READ_AHEAD = 256;
/** Senders whose marks stay in memory. */
const MAX_MARKS = 4096;

/** Mail between the store and the machine. */
export class Mailbag {
  readonly #address: HypertyAddress;
  readonly #store: Store;
  #queue: MailRow[] = [];
  /** The store may have rows that are not in the queue. Then new ones are read from there, in their turn. */
  #hasMore = true;
  readonly #marks = new Map<string, Stream | undefined>();

  constructor(address: HypertyAddress, store: Store) {
    this.#address = address;
    this.#store = store;
  }

  /** Rows in memory. */
  get depth(): number {
    return this.#queue.length;
  }

  /** True when nothing waits, as far as this process knows. */
  get isEmpty(): boolean {
    return this.#queue.length === 0 && !this.#hasMore;
  }

  /** A row has been kept. */
  arrived(row: MailRow): void {
    if (!this.#hasMore) this.#queue.push(row);
  }

  /** Another process has kept rows. */
  poke(): void {
    this.#hasMore = true;
  }

  /** Reads on when the queue is empty; afterwards the marks of all senders in the queue are known. */
  async fill(): Promise<void> {
    if (this.#queue.length === 0 && this.#hasMore) {
      this.#hasMore = false; // rows that come while we read are read next time, or come by themselves
      const read = await this.#store.range({ ...ofHyperty('m', this.#address), limit: READ_AHEAD });
      const came = this.#queue;
      const known = new Set(read.map(({ key }) => key));
      this.#queue = read.map(({ key, value }) => ({ key, ...decodeRow<Mail>(key, value) }));
      if (read.length > 0) this.#hasMore = true;
      else this.#queue.push(...came.filter(({ key }) => !known.has(key)));
    }
    await this.#learn();
  }

  /** The next rows. */
  take(limit: number): readonly MailRow[] {
    return this.#queue.splice(0, limit);
  }

  /** Rows that were taken and not handled. */
  putBack(rows: readonly MailRow[]): void {
    this.#queue.unshift(...rows);
  }

  /** What was heard last of a sender. */
  markOf(sender: string): Stream | undefined {
    return this.#marks.get(sender);
  }

  /** What has been heard and kept. */
  noteMarks(marks: ReadonlyMap<string, Stream>): void {
    for (const [sender, mark] of marks) {
      this.#marks.delete(sender);
      this.#marks.set(sender, mark);
    }
    for (const oldest of this.#marks.keys()) {
      if (this.#marks.size <= MAX_MARKS) break;
      this.#marks.delete(oldest);
    }
  }

  async #learn(): Promise<void> {
    const unknown = new Set<string>();
    for (const { stream } of this.#queue) {
      if (stream && !this.#marks.has(stream.sender)) unknown.add(stream.sender);
    }
    if (unknown.size === 0) return;
    const read = [...unknown].map(async (sender) => {
      const text = await this.#store.get(keys.mark(this.#address, sender));
      this.#marks.set(sender, text === undefined ? undefined : (JSON.parse(text) as Stream));
    });
    await Promise.all(read);
  }
}
