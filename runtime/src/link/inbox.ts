/**
 * The inbox of a link: puts entries in order, drops repeats, keeps what came early within a bound. Pure: it decides,
 * the link delivers.
 */

/** Entries that came before their turn: at most this many bytes are kept, the rest is sent again by the peer. */
const MAX_EARLY_BYTES = 256 * 1024;

/** An entry with its number. */
export interface Numbered {
  readonly number: number;
  readonly entry: Record<string, unknown>;
}

/** What happened to a frame's entries. */
export interface Arrival {
  /** Entries whose turn has come, in order. */
  readonly ready: readonly Numbered[];
  /** True when something was a repeat or left a gap: the peer should hear at once where we stand. */
  readonly irregular: boolean;
}

/** Orders the entries of one session. */
export class Inbox {
  readonly #early = new Map<number, { entry: Record<string, unknown>; bytes: number }>();
  #earlyBytes = 0;
  #expected = 1;

  /** Number of the last entry that came in order. */
  get last(): number {
    return this.#expected - 1;
  }

  /** Entries kept because others before them are missing. */
  get early(): number {
    return this.#early.size;
  }

  /**
   * Takes the entries of a frame.
   * @param limit highest number that the peer was allowed to send; what lies beyond is dropped
   * @param bytes size of the frame, to bound what is kept
   */
  accept(
    first: number,
    entries: readonly Record<string, unknown>[],
    { limit, bytes }: { limit: number; bytes: number },
  ): Arrival {
    const ready: Numbered[] = [];
    let irregular = false;
    const share = Math.ceil(bytes / Math.max(1, entries.length));
    for (const [index, entry] of entries.entries()) {
      const number = first + index;
      if (number < this.#expected || number > limit) irregular = true;
      else if (number === this.#expected) {
        ready.push({ number, entry });
        this.#expected += 1;
      } else {
        irregular = true;
        this.#keep(number, entry, share);
      }
    }
    this.#releaseEarly(ready);
    return { ready, irregular };
  }

  #keep(number: number, entry: Record<string, unknown>, bytes: number): void {
    if (this.#early.has(number) || this.#earlyBytes + bytes > MAX_EARLY_BYTES) return;
    this.#early.set(number, { entry, bytes });
    this.#earlyBytes += bytes;
  }

  #releaseEarly(ready: Numbered[]): void {
    for (let kept = this.#early.get(this.#expected); kept; kept = this.#early.get(this.#expected)) {
      this.#early.delete(this.#expected);
      this.#earlyBytes -= kept.bytes;
      ready.push({ number: this.#expected, entry: kept.entry });
      this.#expected += 1;
    }
    if (this.#early.size > 0) this.#forgetPassed();
  }

  #forgetPassed(): void {
    for (const [number, { bytes }] of this.#early) {
      if (number >= this.#expected) continue;
      this.#early.delete(number);
      this.#earlyBytes -= bytes;
    }
  }
}
