/**
 * One round: load both ways between two companies, faults from a seed in the midst of it, and then, when all is whole and
 * quiet again, nothing lost, repeated or out of order.
 */
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestWorld } from '../support/world.ts';
import { breakablesOf, breakThings } from './breaking.ts';
import { planFaults, summarise, targets, type Fault, type Target } from './fault-plan.ts';
import { createSeededRandom } from './seeded-random.ts';
import { keepStores, setStage, type Stage } from './stage.ts';
import type { Inspected, SideReport, StorePlace } from './task.ts';
import { checkStore, judge, type Verdict } from './verdict.ts';

/** How a round is played. */
export interface RoundOptions {
  readonly world: TestWorld;
  readonly seed: number;
  /** Its logs go into a folder below, which is removed when all is well. */
  readonly logs: string;
  readonly messages: number;
  /** Faults begin within this time. */
  readonly windowMs: number;
  /** Mean time between faults. Default 1.2 s. */
  readonly everyMs?: number;
  /** How long after the last fault all must be quiet. */
  readonly deadlineMs: number;
  /** The targets that may be hit. Default: all that this machine allows. */
  readonly only?: readonly Target[];
  /** These faults instead of those that follow from the seed. */
  readonly plan?: readonly Fault[];
  /** Both stores, instead of those that follow from the seed. */
  readonly stores?: StorePlace['kind'];
  readonly signal?: AbortSignal;
  /** Hears of the wait for quiet. */
  readonly progress?: (line: string) => void;
}

/** How a round went. */
export interface Outcome {
  readonly seed: number;
  /** Stores and faults, for people. */
  readonly summary: string;
  readonly durationMs: number;
  /** From the end of the last fault until everything was counted and nothing waited. */
  readonly recoveryMs: number;
  /** Effects that were carried out again with a known key. */
  readonly repeats: number;
  /** Empty when all held. */
  readonly problems: readonly string[];
  readonly faults: readonly string[];
  /** Where the logs are, if there are problems. */
  readonly folder: string;
}

/** Nominal time of the load as a part of the time of faults. */
const LOAD_PART = 0.8;
const POLL_MS = 250;
const PROGRESS_MS = 5000;

/** Plays one round. @throws Error when the stage cannot be set; the signal's reason */
export async function playRound(options: RoundOptions): Promise<Outcome> {
  const { seed, world, messages, windowMs, logs, signal = new AbortController().signal } = options;
  const random = createSeededRandom(seed);
  const folder = join(logs, String(seed));
  await rm(folder, { recursive: true, force: true });
  const beganAt = performance.now();
  const loadMs = windowMs * LOAD_PART;
  const { stores: kind } = options;
  const stage = await setStage({
    world,
    random,
    seed,
    folder,
    messages,
    loadMs,
    ...(kind ? { stores: kind } : {}),
  });
  const faults: string[] = [];
  const problems: string[] = [];
  const log = (line: string): void => void faults.push(line);
  let recoveryMs: number;
  const breakables = breakablesOf(stage);
  const possible = targets.filter(
    (target) => breakables.has(target) && (options.only?.includes(target) ?? true),
  );
  const plan =
    options.plan ?? planFaults(random, { targets: possible, windowMs, everyMs: options.everyMs ?? 1200 });
  try {
    await startLoad(stage);
    await breakThings({ plan, breakables, signal, log });
    signal.throwIfAborted();
    const wholeAt = performance.now();
    problems.push(...(await untilQuiet(stage, { ...options, signal })));
    recoveryMs = performance.now() - wholeAt;
    problems.push(
      ...processesOf(stage).flatMap(({ name, runtime }) => runtime.crashes.map((text) => `${name}: ${text}`)),
    );
    if (problems.length > 0) problems.push(...(await explain(stage)));
    await Promise.all(processesOf(stage).map(({ runtime }) => runtime.close()));
    for (const { name, place } of stage.sides) problems.push(...(await checkStore(name, place)));
    if (problems.length > 0) await keep(stage, [...faults, ...problems]);
  } finally {
    await stage.close();
    if (problems.length === 0) await rm(folder, { recursive: true, force: true });
  }
  const stores = stage.sides.map(({ place, runtimes }) => `${runtimes.length} on ${place.kind}`).join(' ⇄ ');
  const durationMs = performance.now() - beganAt;
  const { repeats } = stage.recorder;
  return { seed, summary: `${stores}; ${summarise(plan)}`, durationMs, recoveryMs, repeats, problems, faults, folder }; // prettier-ignore
}

/** All runtime processes, each with a name. */
const processesOf = ({ sides }: Stage) =>
  sides.flatMap(({ name, runtimes }) =>
    runtimes.map((runtime, index) => ({ name: index > 0 ? `${name}-second` : name, runtime })),
  );

async function startLoad({ sides }: Stage): Promise<void> {
  for (const { runtimes, couriers, load } of sides) {
    for (const courier of couriers) await runtimes[0].obey({ do: 'start', courier, load });
  }
}

/** Waits until nothing is missing. Returns what is wrong, or still missing at the deadline. */
async function untilQuiet(
  stage: Stage,
  { deadlineMs, signal, progress }: RoundOptions & { signal: AbortSignal },
): Promise<readonly string[]> {
  const beganAt = performance.now();
  let toldAt = beganAt;
  let isCounted = false; // from then on nobody is asked any more: answers are messages too
  for (;;) {
    const { missing, wrong } = isCounted ? await lookForOutgoing(stage) : await lookAtCounts(stage);
    if (wrong.length > 0) return wrong;
    signal.throwIfAborted();
    const now = performance.now();
    if (missing.length === 0 && isCounted) return [];
    if (missing.length === 0) isCounted = true;
    if (now - beganAt > deadlineMs)
      return [`not quiet ${deadlineMs / 1000} s after the last fault`, ...missing];
    if (now - toldAt > PROGRESS_MS) {
      toldAt = now;
      progress?.(`waiting for ${((now - beganAt) / 1000).toFixed(0)} s; ${missing.length} missing: ${missing[0] ?? ''}`); // prettier-ignore
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function lookAtCounts(stage: Stage): Promise<Verdict> {
  const reports: SideReport[] = [];
  for (const { name, runtimes, couriers, tallies } of stage.sides) {
    try {
      reports.push(await runtimes[0].obey<SideReport>({ do: 'report', couriers, tallies }));
    } catch (error) {
      return { missing: [`${name} does not answer: ${(error as Error).message}`], wrong: [] };
    }
  }
  return judge(stage, reports);
}

async function lookForOutgoing(stage: Stage): Promise<Verdict> {
  const missing: string[] = [];
  for (const { name, runtime } of processesOf(stage)) {
    const { outgoing } = await runtime.obey<Inspected>({ do: 'inspect' });
    if (outgoing > 0) missing.push(`${name} has ${outgoing} messages to send`);
  }
  return { missing, wrong: [] };
}

/** What the processes know about what is missing. */
async function explain(stage: Stage): Promise<string[]> {
  const told = processesOf(stage).map(async ({ name, runtime }) => {
    const inspected = await runtime
      .obey<Inspected>({ do: 'inspect' })
      .catch((error: unknown) => String(error));
    return `${name}: ${typeof inspected === 'string' ? inspected : JSON.stringify(inspected)}`;
  });
  return Promise.all(told);
}

async function keep(stage: Stage, lines: readonly string[]): Promise<void> {
  await keepStores(stage, stage.folder);
  await appendFile(join(stage.folder, 'round.log'), lines.map((line) => `${line}\n`).join(''));
}
