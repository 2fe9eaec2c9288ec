/** Which faults happen when: all of it follows from a seed. */
import type { SeededRandom } from './seeded-random.ts';

/** Who or what a fault hits; `acme` and `partner` are the runtimes, `…-second` those that share a store with them. */
export const targets = [
  'acme',
  'partner',
  'acme-second',
  'partner-second',
  'acme-homeserver',
  'partner-homeserver',
  'redis',
  'network',
  'acme-disk',
  'partner-disk',
  'acme-clock',
  'partner-clock',
] as const;

/** One of {@link targets}. */
export type Target = (typeof targets)[number];

/** What happens to it. */
export type FaultKind = 'kill' | 'freeze' | 'cut' | 'silence' | 'fill' | 'jump';

/** One fault. */
export interface Fault {
  /** Milliseconds after the start. */
  readonly atMs: number;
  readonly target: Target;
  readonly kind: FaultKind;
  /** Until it is undone; a process that was killed takes its time to start besides. */
  readonly forMs: number;
  /** How far a clock is set off; 0 for other faults. */
  readonly offsetMs: number;
}

interface Repertoire {
  readonly kinds: readonly FaultKind[];
  readonly longestMs: number;
}

const PROCESS: Repertoire = { kinds: ['kill', 'kill', 'freeze'], longestMs: 4000 };
const DISK: Repertoire = { kinds: ['fill'], longestMs: 4000 };
const CLOCK: Repertoire = { kinds: ['jump'], longestMs: 6000 };

const repertoires: Readonly<Record<Target, Repertoire>> = {
  acme: PROCESS,
  partner: PROCESS,
  'acme-second': PROCESS,
  'partner-second': PROCESS,
  'acme-homeserver': PROCESS,
  'partner-homeserver': PROCESS,
  redis: PROCESS,
  network: { kinds: ['cut', 'silence'], longestMs: 5000 },
  'acme-disk': DISK,
  'partner-disk': DISK,
  'acme-clock': CLOCK,
  'partner-clock': CLOCK,
};

const SHORTEST_MS = 100;
/** Between the end of a fault and the next one for the same target. */
const BREATH_MS = 500;
const MAX_JUMP_MS = 36 * 3_600_000;

/** What a plan is made for. */
export interface PlanOptions {
  readonly targets: readonly Target[];
  /** Faults begin within this time. */
  readonly windowMs: number;
  /** Mean time from one fault to the next. */
  readonly everyMs: number;
}

/** Makes a plan, in the order of time. */
export function planFaults(random: SeededRandom, options: PlanOptions): readonly Fault[] {
  const busyUntil = new Map<Target, number>();
  const plan: Fault[] = [];
  if (options.targets.length === 0) return plan;
  for (let atMs = random.whole(200, options.everyMs); atMs < options.windowMs;) {
    const free = options.targets.filter((target) => (busyUntil.get(target) ?? 0) <= atMs);
    if (free.length > 0) {
      const target = random.pick(free);
      const { kinds, longestMs } = repertoires[target];
      const kind = random.pick(kinds);
      const forMs = random.whole(SHORTEST_MS, random.chance(0.5) ? 1000 : longestMs);
      const offsetMs = kind === 'jump' ? random.whole(-MAX_JUMP_MS, MAX_JUMP_MS) : 0;
      plan.push({ atMs, target, kind, forMs, offsetMs });
      busyUntil.set(target, atMs + forMs + BREATH_MS);
    }
    atMs += random.whole(100, options.everyMs * 2 - 100);
  }
  return plan;
}

/** A fault in words. */
export function describeFault({ atMs, target, kind, forMs, offsetMs }: Fault): string {
  const by = kind === 'jump' ? ` by ${(offsetMs / 60_000).toFixed(0)} min` : '';
  return `${(atMs / 1000).toFixed(1)} s: ${kind} ${target}${by} for ${(forMs / 1000).toFixed(1)} s`;
}

/** How often which fault happens in a plan, for one line. */
export function summarise(plan: readonly Fault[]): string {
  const counts = new Map<string, number>();
  for (const { kind, target } of plan) {
    const name = `${kind} ${target}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => (count > 1 ? `${count} × ${name}` : name)).join(', ') || 'none';
}
