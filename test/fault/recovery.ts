/**
 * Measures how long it takes until everything is counted and quiet after one fault of 2 s in the midst of steady load, for
 * each kind of fault: `node --conditions=@hyperty/source test/fault/recovery.ts`. Prints the rows of docs/faults.md.
 */
import { join } from 'node:path';
import { sharedWorld, stopSharedWorld, type TestWorld } from '../support/world.ts';
import type { Fault } from './fault-plan.ts';
import { playRound } from './round.ts';
import { noSmallDisk } from './small-disk.ts';
import type { StorePlace } from './task.ts';

const LOGS = join(import.meta.dirname, '../../out/faults');
const ROUNDS = 3;
/** The load takes 4 s; the fault begins after 2 s and ends when the load would have ended. */
const [WINDOW_MS, FAULT] = [5000, { atMs: 2000, forMs: 2000, offsetMs: 0 }];
const HOUR_MS = 3_600_000;

const cases: readonly (readonly [
  string,
  Pick<Fault, 'target' | 'kind'> & Partial<Fault>,
  StorePlace['kind'],
])[] = [
  ['nothing', { target: 'acme-clock', kind: 'jump', offsetMs: 0 }, 'sqlite'],
  ['kill of a runtime, SQLite', { target: 'partner', kind: 'kill' }, 'sqlite'],
  ['kill of a runtime, Redis', { target: 'partner', kind: 'kill' }, 'redis'],
  ['freeze of a runtime', { target: 'partner', kind: 'freeze' }, 'sqlite'],
  ['kill of a homeserver', { target: 'partner-homeserver', kind: 'kill' }, 'sqlite'],
  ['freeze of a homeserver', { target: 'partner-homeserver', kind: 'freeze' }, 'sqlite'],
  ['cut between the homeservers', { target: 'network', kind: 'cut' }, 'sqlite'],
  ['silence between the homeservers', { target: 'network', kind: 'silence' }, 'sqlite'],
  ['kill of Redis', { target: 'redis', kind: 'kill' }, 'redis'],
  ['freeze of Redis', { target: 'redis', kind: 'freeze' }, 'redis'],
  ['full disk', { target: 'partner-disk', kind: 'fill' }, 'sqlite'],
  ['clock set forward by 12 h', { target: 'partner-clock', kind: 'jump', offsetMs: 12 * HOUR_MS }, 'sqlite'],
  ['clock set back by 12 h', { target: 'partner-clock', kind: 'jump', offsetMs: -12 * HOUR_MS }, 'sqlite'],
];

async function measure(world: TestWorld, index: number): Promise<void> {
  const [name, fault, stores] = cases[index] ?? [];
  if (!name || !fault) return;
  if (fault.kind === 'fill' && noSmallDisk() !== undefined) return;
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const seed = 900_000 + index * ROUNDS + round;
    const outcome = await playRound({
      world,
      seed,
      logs: LOGS,
      messages: 1000,
      windowMs: WINDOW_MS,
      deadlineMs: 180_000,
      plan: [{ ...FAULT, ...fault }],
      ...(stores ? { stores } : {}),
    });
    if (outcome.problems.length > 0) throw new Error(`${name}: ${outcome.problems.join('\n')}`);
    times.push(outcome.recoveryMs / 1000);
  }
  console.log(`| ${name} | ${times.toSorted((a, b) => a - b).map((time) => time.toFixed(1)).join(' · ')} s |`); // prettier-ignore
}

const world = await sharedWorld();
try {
  for (let index = 0; index < cases.length; index += 1) await measure(world, index);
} finally {
  await stopSharedWorld();
}
