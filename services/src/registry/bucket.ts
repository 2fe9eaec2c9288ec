/** A set of entries in the order of their places, so that pages can go on where the one before ended. */

/** What has a place. */
export interface Placed {
  readonly place: string;
}

/** Entries in order. */
export class Bucket<T extends Placed> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Adds an item, in the place of the one that had its place. */
  add(item: T): void {
    const last = this.#items.at(-1);
    if (!last || last.place < item.place) {
      this.#items.push(item);
      return;
    }
    const index = this.#indexAt(item.place);
    const isThere = this.#items[index]?.place === item.place;
    this.#items.splice(index, isThere ? 1 : 0, item);
  }

  remove({ place }: Placed): void {
    const index = this.#indexAt(place);
    if (this.#items[index]?.place === place) this.#items.splice(index, 1);
  }

  /** Items after a place, in order; all without one. */
  *after(place: string | undefined): Generator<T> {
    let index = place === undefined ? 0 : this.#indexAt(place);
    if (place !== undefined && this.#items[index]?.place === place) index += 1;
    for (; index < this.#items.length; index += 1) yield this.#items[index] as T;
  }

  /** Index of the first item at a place or after it. */
  #indexAt(place: string): number {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle] as T).place < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
