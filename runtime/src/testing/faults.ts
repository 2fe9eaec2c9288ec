/** Faults of a test world's network. They follow from a seed, so a run that fails fails again. */
import { addressParts, type RuntimeAddress } from '../message/address.ts';
import type { FaultPlan } from '../protostub/memory.ts';

/** Numbers in [0, 1) that follow from a seed. */
export type Random = () => number;

/** Creates a source of random numbers (mulberry32): equal seeds, equal numbers. Not for secrets. */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What may befall frames on their way. */
export interface Faults {
  /** Loses a frame with this probability. */
  drop(probability: number): void;
  /** Delivers a frame twice with this probability. */
  duplicate(probability: number): void;
  /** Lets each frame take a time of its own, so that frames overtake each other. */
  delay(range: { readonly minMs: number; readonly maxMs: number }): void;
  /** Ends drop, duplicate and delay. */
  none(): void;
  /** Loses everything between two domains until {@link Faults.heal}. */
  partition(domainA: string, domainB: string): void;
  /** Ends all partitions. */
  heal(): void;
}

/** Creates faults, none at first, and the plan that carries them out. */
export function createFaults(random: Random): Faults & { readonly plan: FaultPlan } {
  let chance = { drop: 0, duplicate: 0 };
  let delay = { minMs: 0, maxMs: 0 };
  const partitions = new Set<string>();

  const isCut = (from: RuntimeAddress, to: RuntimeAddress): boolean =>
    partitions.size > 0 && partitions.has(pairOf(addressParts(from).domain, addressParts(to).domain));
  return {
    plan(from, to) {
      const delayMs = delay.maxMs > 0 ? delay.minMs + random() * (delay.maxMs - delay.minMs) : 0;
      if (isCut(from, to) || random() < chance.drop) return { copies: 0, delayMs };
      return { copies: random() < chance.duplicate ? 2 : 1, delayMs };
    },
    drop: (probability) => void (chance = { ...chance, drop: probability }),
    duplicate: (probability) => void (chance = { ...chance, duplicate: probability }),
    delay: (range) => void (delay = range),
    none() {
      chance = { drop: 0, duplicate: 0 };
      delay = { minMs: 0, maxMs: 0 };
    },
    partition: (domainA, domainB) => void partitions.add(pairOf(domainA, domainB)),
    heal: () => partitions.clear(),
  };
}

const pairOf = (domainA: string, domainB: string): string => [domainA, domainB].sort().join(' ');
