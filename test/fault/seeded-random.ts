/** Random choices that a seed repeats (mulberry32). */

/** A source of choices. */
export interface SeededRandom {
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number;
  /** One of these. @throws TypeError when there is none */
  pick<T>(among: readonly T[]): T;
  chance(probability: number): boolean;
}

/** Starts a source. The same seed makes the same choices. */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    whole: (least, most) => least + Math.floor(next() * (most - least + 1)),
    pick: <T>(among: readonly T[]): T => {
      const index = Math.floor(next() * among.length);
      if (index >= among.length) throw new TypeError('There is nothing to choose from.');
      return among[index] as T;
    },
    chance: (probability) => next() < probability,
  };
}
