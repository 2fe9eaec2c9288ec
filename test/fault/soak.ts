/**
 * `npm run soak -- --minutes N [--seed S] [--messages M] [--only TARGET,…]`: plays rounds with new seeds until time is over.
 * A failed round prints its seed, its faults and where the logs are, and ends it with 1. Ctrl-C ends it cleanly.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sharedWorld, stopSharedWorld } from '../support/world.ts';
import { targets, type Target } from './fault-plan.ts';
import { playRound, type Outcome } from './round.ts';
import { noSmallDisk } from './small-disk.ts';

const LOGS = join(import.meta.dirname, '../../out/faults');

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    messages: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '20' },
    only: { type: 'string' },
  },
});

const numberOf = (name: 'minutes' | 'messages' | 'seconds'): number => {
  const number = Number(values[name]);
  if (number > 0) return number;
  console.error(`--${name} ${values[name]}: expected a number above 0.`);
  process.exit(2);
};

const isTarget = (text: string): text is Target => (targets as readonly string[]).includes(text);
const asked = values.only?.split(',');
const unknown = asked?.filter((text) => !isTarget(text)) ?? [];
if (unknown.length > 0) {
  console.error(`--only ${unknown.join(',')}: there are ${targets.join(', ')}.`);
  process.exit(2);
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => interrupted.abort(new Error('Interrupted.')));

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function print({ seed, summary, durationMs, recoveryMs, repeats, problems, faults, folder }: Outcome): void {
  const verdict = problems.length === 0 ? 'ok' : 'FAILED';
  console.log(`seed ${seed} ${verdict} in ${seconds(durationMs)}, quiet after ${seconds(recoveryMs)}, ${repeats} effects repeated; ${summary}`); // prettier-ignore
  if (problems.length === 0) return;
  for (const line of [...faults, ...problems]) console.log(`  ${line}`);
  console.log(`  logs and stores: ${folder}; again: npm run soak -- --seed ${seed}`);
}

async function soak(): Promise<number> {
  const until = performance.now() + numberOf('minutes') * 60_000;
  const { signal } = interrupted;
  const [messages, windowMs] = [numberOf('messages'), numberOf('seconds') * 1000];
  const noDisk = noSmallDisk();
  if (noDisk !== undefined) console.log(`no full disks: ${noDisk}`);
  const world = await sharedWorld();
  const only = asked?.filter(isTarget);
  let seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  do {
    const progress = (line: string): void => console.error(`  seed ${seed}: ${line}`);
    const outcome = await playRound({ world, seed, logs: LOGS, messages, windowMs, deadlineMs: 180_000, signal, progress, ...(only ? { only } : {}) }); // prettier-ignore
    print(outcome);
    if (outcome.problems.length > 0) return 1;
    seed += 1;
  } while (performance.now() < until && !signal.aborted);
  return 0;
}

try {
  process.exitCode = await soak();
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  console.log('interrupted');
  process.exitCode = 130;
} finally {
  await stopSharedWorld();
}
