/** What a round must end with, and what is still missing, or wrong for good. */
import { under } from '@hyperty/runtime';
import { createSqliteStore } from '@hyperty/runtime/node';
import { createRedisStore } from '@hyperty/services';
import { runCommand } from '../support/hyperty-command.ts';
import { stampsDue, stepsOf, type CourierState, type TallyState } from './hyperties.ts';
import type { Recorder } from './recorder.ts';
import type { Side, Stage } from './stage.ts';
import type { SideReport, StorePlace } from './task.ts';

/** How it stands. */
export interface Verdict {
  /** What may still come. */
  readonly missing: readonly string[];
  /** What no waiting mends. */
  readonly wrong: readonly string[];
}

/** Compares what both sides report with what they were told to do. */
export function judge(stage: Stage, reports: readonly SideReport[]): Verdict {
  const verdict = { missing: [] as string[], wrong: [] as string[] };
  stage.sides.forEach((side, index) => {
    const report = reports[index];
    if (!report) return;
    for (const name of side.couriers) {
      judgeCourier({ name, side, state: report.couriers[name], recorder: stage.recorder }, verdict);
    }
    for (const name of side.tallies) {
      judgeTally({ name, stage, state: report.tallies[name] }, verdict);
    }
  });
  if (verdict.missing.length === 0) verdict.wrong.push(...wrongKeys(stage, reports));
  return verdict;
}

/** Once all is quiet: a stamp that is kept has used one key, and no key was used for anything else. */
function wrongKeys({ sides, recorder }: Stage, reports: readonly SideReport[]): string[] {
  return sides.flatMap(({ tallies }, index) =>
    tallies.flatMap((name) => {
      const stamps = reports[index]?.tallies[name]?.stamps;
      const keys = recorder.keysOf(name);
      return keys === stamps ? [] : [`${name} has ${stamps ?? 'no'} stamps and used ${keys} keys`];
    }),
  );
}

type Lists = Readonly<Record<keyof Verdict, string[]>>;

function judgeCourier(
  { name, side, state, recorder }: { name: string; side: Side; state: CourierState | undefined; recorder: Recorder }, // prettier-ignore
  { missing, wrong }: Lists,
): void {
  if (!state) return;
  const steps = stepsOf(side.load);
  if (state.state !== 'done')
    missing.push(`${name} is ${state.state} at ${state.last} of ${side.load.count}`);
  else if (state.steps !== steps) wrong.push(`${name} has ${state.steps} steps, not ${steps}`);
  const keys = recorder.keysOf(name);
  if (state.state === 'done' && keys !== steps) wrong.push(`${name} used ${keys} keys for ${steps} steps`);
}

function judgeTally(
  { name, stage, state }: { name: string; stage: Stage; state: TallyState | undefined },
  { missing, wrong }: Lists,
): void {
  if (!state) return;
  for (const { couriers, load } of stage.sides) {
    if (!load.targets.some((target) => target.endsWith(`/${name}`))) continue;
    for (const courier of couriers) {
      const stream = state.streams[courier] ?? { last: 0, count: 0, wrong: [] };
      const { last, count } = stream;
      for (const text of stream.wrong) wrong.push(`${name} heard ${courier} say ${text}`);
      if (last < load.count) missing.push(`${name} has heard ${last} of ${load.count} from ${courier}`);
      else if (count !== load.count) wrong.push(`${name} heard ${count} instead of ${load.count} from ${courier}`); // prettier-ignore
    }
  }
  const due = stampsDue(state.total);
  if (state.stamps < due) missing.push(`${name} has ${state.stamps} of ${due} stamps`);
  if (state.stamps > due) wrong.push(`${name} has ${state.stamps} stamps, not ${due}`);
}

/** Kinds of rows that are gone when all is quiet: outgoing messages, mail, and wake-up rows. */
const PASSING_ROWS = ['o/', 'm/', 'w/', 'p/'];

/** Looks into a store whose process has stopped. Returns what should not be there. */
export async function checkStore(name: string, place: StorePlace): Promise<string[]> {
  const problems: string[] = [];
  const store = await (place.kind === 'sqlite' ? createSqliteStore(place) : createRedisStore(place));
  try {
    for (const prefix of PASSING_ROWS) {
      const rows = await store.range({ ...under(prefix), limit: 3 });
      for (const { key } of rows) problems.push(`the store of ${name} still has ${key}`);
    }
  } finally {
    await store.close();
  }
  if (place.kind !== 'sqlite') return problems;
  const { code, output } = await runCommand(['store', 'check', place.file]);
  return code === 0 ? problems : [...problems, `hyperty store check: ${output.trim()}`];
}
