/** The mail of one durable hyperty as far as it is in memory: what is next, and what was heard last from whom. */
import type { HypertyAddress } from '../message/address.ts';
import type { Store } from '../store/store.ts';
import { keys, ofHyperty, placeOfKey } from './keys.ts';
import { decodeRow, isRepeat, type Mail, type MailRow, type Stream } from './record.ts';
import type { Turn } from './turn.ts';
import type { Sequencer } from './sequencer.ts';

/** What a mailbag needs around it. */
export interface MailbagDeps {
  readonly store: Store;
  /** True while other processes keep mail in the same store. */
  readonly isShared: () => boolean;
  readonly sequencer: Pick<Sequencer, 'saw'>;
}

/** Rows that are read at one time. */
const READ_AHEAD = 256;
/** Senders whose marks stay in memory. */
const MAX_MARKS = 4096;

/** Mail between the store and the machine. */
export class Mailbag {
  readonly #address: HypertyAddress;
  readonly #deps: MailbagDeps;
  #queue: MailRow[] = [];
  /** The store may have rows that are not in the queue. Then new ones are read from there, in their turn. */
  #hasMore = true;
  #hasRead = false;
  readonly #marks = new Map<string, Stream | undefined>();

  constructor(address: HypertyAddress, deps: MailbagDeps) {
    this.#address = address;
    this.#deps = deps;
  }

  /** Rows in memory. */
  get depth(): number {
    return this.#queue.length;
  }

  /** True when nothing waits, as far as this process knows. */
  get isEmpty(): boolean {
    return this.#queue.length === 0 && !this.#hasMore;
  }

  /**
   * A row has been kept. While others keep mail too it is read from the store with theirs: an earlier message of its sender
   * may have come to another process, and would count as a repeat after it.
   */
  arrived(row: MailRow): void {
    if (this.#deps.isShared()) this.#hasMore = true;
    else if (!this.#hasMore) this.#queue.push(row);
  }

  /** Another process has kept rows. */
  poke(): void {
    this.#hasMore = true;
  }

  /** False when there is more to read before anything can be taken. */
  get isReady(): boolean {
    const [first] = this.#queue;
    return first ? this.#isKnown(first) : !this.#hasMore;
  }

  /** Reads on when the queue is empty; then it finds out the marks of all senders in the queue. */
  async fill(): Promise<void> {
    if (this.#queue.length === 0 && this.#hasMore) await this.#read();
    await this.#learn();
  }

  /** The next rows, up to the first whose sender's mark is not known: it came while marks were being read. */
  take(limit: number): readonly MailRow[] {
    const unknown = this.#queue.findIndex((row) => !this.#isKnown(row));
    return this.#queue.splice(0, unknown < 0 ? limit : Math.min(limit, unknown));
  }

  /** Rows that were taken and not handled. */
  putBack(rows: readonly MailRow[]): void {
    this.#queue.unshift(...rows);
  }

  /** What was heard last of a sender. */
  markOf(sender: string): Stream | undefined {
    return this.#marks.get(sender);
  }

  /** Takes a row into a turn. False for what has been handled already. */
  isNews(row: MailRow, turn: Turn): boolean {
    turn.rows.push(row);
    turn.isTouched = true;
    const { stream } = row;
    if (!stream) return true;
    if (isRepeat(turn.marks.get(stream.sender) ?? this.#marks.get(stream.sender), stream)) return false;
    turn.marks.set(stream.sender, stream);
    return true;
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

  async #read(): Promise<void> {
    const range = ofHyperty('m', this.#address);
    this.#hasMore = false; // rows that come while we read come by themselves
    try {
      const isOrdered = this.#hasRead && !this.#deps.isShared();
      const read = await this.#deps.store.range(isOrdered ? { ...range, limit: READ_AHEAD } : range);
      this.#hasRead = true;
      const last = read.at(-1);
      if (!last) return;
      this.#deps.sequencer.saw(Number.parseInt(placeOfKey(last.key), 10)); // new mail goes behind it
      this.#hasMore = true;
      this.#queue = inOrder(read.map(({ key, value }) => ({ key, ...decodeRow<Mail>(key, value) })));
    } catch (caught) {
      this.#hasMore = true;
      this.#queue = []; // what came meanwhile is behind what could not be read
      throw caught;
    }
  }

  #isKnown({ stream }: MailRow): boolean {
    return !stream || this.#marks.has(stream.sender);
  }

  async #learn(): Promise<void> {
    const unknown = new Set<string>();
    for (const { stream } of this.#queue) {
      if (stream && !this.#marks.has(stream.sender)) unknown.add(stream.sender);
    }
    if (unknown.size === 0) return;
    const read = [...unknown].map(async (sender) => {
      const text = await this.#deps.store.get(keys.mark(this.#address, sender));
      this.#marks.set(sender, text === undefined ? undefined : (JSON.parse(text) as Stream));
    });
    await Promise.all(read);
  }
}

/**
 * Processes place mail by their own clocks, so the messages of one sender that came to several of them may lie in another order
 * than they were sent in. They change places among each other; those of different senders stay where they are.
 */
function inOrder(rows: readonly MailRow[]): MailRow[] {
  const places = new Map<string, MailRow[]>();
  for (const row of rows) {
    if (!row.stream) continue;
    const name = streamName(row.stream);
    const own = places.get(name);
    if (own) own.push(row);
    else places.set(name, [row]);
  }
  for (const own of places.values()) own.sort((a, b) => compare(b, a)); // the first is taken from the end
  return rows.map((row) => (row.stream ? (places.get(streamName(row.stream))?.pop() ?? row) : row));
}

const streamName = ({ sender, epoch }: Stream): string => `${sender} ${epoch}`;

function compare({ stream: a }: MailRow, { stream: b }: MailRow): number {
  if (!a || !b) return 0;
  if (a.token !== b.token) return a.token - b.token;
  return a.last === b.last ? 0 : a.last < b.last ? -1 : 1;
}
