/** Carries out the faults of a plan on a stage, at their times; what is broken is whole again afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Homeserver } from '@hyperty/cli';
import { describeFault, type Fault, type Target } from './fault-plan.ts';
import type { RuntimeVictim } from './runtime-victim.ts';
import type { Side, Stage } from './stage.ts';

/** What can be done to one target. */
interface Breakable {
  /** Breaks it; resolves with how it is made whole. */
  break(fault: Fault): Promise<() => Promise<void> | void>;
}

interface Process {
  kill(): Promise<void>;
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

const process_ = (process: Process): Breakable => ({
  break: async ({ kind }) => {
    if (kind === 'freeze') {
      process.freeze();
      return () => process.thaw();
    }
    await process.kill();
    return () => process.start();
  },
});

function homeserver(server: Homeserver): Breakable {
  const signal = (name: NodeJS.Signals): void => {
    if (server.pid !== undefined) process.kill(server.pid, name);
  };
  return process_({
    kill: () => server.kill(),
    start: () => server.start(),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  });
}

const network = ({ sides }: Stage): Breakable => ({
  break: async ({ kind }) => {
    const ways = sides.map(({ company }) => company.federationIn);
    for (const way of ways) if (kind === 'cut') way.cut(); else way.silence(); // prettier-ignore
    return () => ways.forEach((way) => way.heal());
  },
});

const disk = ({ disk: full }: Side): Breakable => ({
  break: async () => {
    await full?.fill();
    return () => full?.free();
  },
});

const clock = (runtime: RuntimeVictim): Breakable => ({
  break: async ({ offsetMs }) => {
    runtime.shiftClock(offsetMs);
    return () => runtime.shiftClock(0);
  },
});

/** What can be broken on a stage. */
export function breakablesOf(stage: Stage): ReadonlyMap<Target, Breakable> {
  const breakables = new Map<Target, Breakable>([['network', network(stage)]]);
  if (stage.redis) breakables.set('redis', process_(stage.redis));
  for (const side of stage.sides) {
    const [first, second] = side.runtimes;
    breakables.set(side.name, process_(first));
    if (second) breakables.set(`${side.name}-second`, process_(second));
    breakables.set(`${side.name}-homeserver`, homeserver(side.company.homeserver));
    breakables.set(`${side.name}-clock`, clock(first));
    if (side.disk) breakables.set(`${side.name}-disk`, disk(side));
  }
  return breakables;
}

/** What carrying out a plan needs. */
export interface BreakingOptions {
  readonly plan: readonly Fault[];
  readonly breakables: ReadonlyMap<Target, Breakable>;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** Carries out a plan; settles when everything is whole again. @throws Error what could not be started again */
export async function breakThings({ plan, breakables, signal, log }: BreakingOptions): Promise<void> {
  const beganAt = performance.now();
  const last = new Map<Target, Promise<void>>();
  const carryOut = async (fault: Fault, before: Promise<void> | undefined): Promise<void> => {
    await sleep(fault.atMs, undefined, { signal }).catch(() => undefined);
    await before;
    if (signal.aborted) return;
    const at = (): string => `${((performance.now() - beganAt) / 1000).toFixed(1)} s`;
    const mend = await breakables.get(fault.target)?.break(fault);
    log(`${at()} begun; planned ${describeFault(fault)}`);
    await sleep(fault.forMs, undefined, { signal }).catch(() => undefined);
    await mend?.();
    log(`${at()} ended: ${fault.kind} ${fault.target}`);
  };
  for (const fault of plan) last.set(fault.target, chain(carryOut(fault, last.get(fault.target)), last.get(fault.target))); // prettier-ignore
  await Promise.all(last.values());
}

const chain = async (work: Promise<void>, before: Promise<void> | undefined): Promise<void> => {
  await Promise.all([work, before]);
};
