/** A company of a test world whose processes die, are stopped and started again, one or two at a time, on one medium. */
import { createMemoryMedium, type Clock, type Envelope, type MemoryMedium, type Runtime } from '@hyperty/runtime'; // prettier-ignore
import type { TestWorld } from '@hyperty/runtime/testing';
import { alarm } from './durable-party.ts';
import { ledger, payer, shopper } from './crash-party.ts';
import { createFrailStore, type FrailStore } from './frail-store.ts';

/** How processes of a company are started. */
export interface CompanyOptions {
  /** How long the next call to the store takes, milliseconds. */
  readonly latencyMs: () => number;
  /** How much later than it happened a change by others is noticed, milliseconds. */
  readonly noticeMs: () => number;
  /** How long the next message takes in a pipeline, milliseconds; undefined: the pipelines have no stage. */
  readonly stageMs: (() => number) | undefined;
  /** After this long a dead process's hyperties go to another one. Default 5 s. */
  readonly leaseMs?: number;
}

/** A stage that takes time, and no more. */
const slowly =
  (clock: Clock, stageMs: () => number) =>
  async (envelope: Envelope): Promise<Envelope> => {
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, stageMs()));
    return envelope;
  };

/** One process. */
export interface Process {
  readonly runtime: Runtime;
  readonly store: FrailStore;
  /** Settles once it has started; never when it dies before. */
  readonly started: Promise<void>;
}

/** One account with its store. */
export class Company {
  readonly name: string;
  readonly medium: MemoryMedium = createMemoryMedium();
  readonly #world: TestWorld;
  readonly #options: CompanyOptions;
  #lives = 0;
  #processes: Process[] = [];

  /** @param name written `owner@domain` */
  constructor(world: TestWorld, name: string, options: CompanyOptions) {
    this.#world = world;
    this.name = name;
    this.#options = options;
  }

  /** Address of one of its hyperties. */
  at(hyperty: string): string {
    const [owner = '', domain = ''] = this.name.split('@');
    return `hyperty://${domain}/${owner}/${hyperty}`;
  }

  /** The processes that live and have not been told to stop, the oldest first. */
  get processes(): readonly Process[] {
    return this.#processes.filter(({ store }) => !store.isDead);
  }

  /** Starts a process, whose clock is ahead by `skewMs`. */
  start(skewMs: number): Process {
    this.#lives += 1;
    const clock = this.#clockAhead(skewMs, () => store.isDead);
    const onDeath = (): void => this.#world.faults.kill(runtime);
    const { leaseMs, stageMs, ...pace } = this.#options;
    const store = createFrailStore(this.medium, { clock, onDeath, ...pace });
    const durable = leaseMs === undefined ? {} : { durable: { leaseMs } };
    const runtime: Runtime = this.#world.create(this.name, {
      device: `pc${this.#lives}`,
      store,
      clock,
      ...durable,
    });
    if (stageMs)
      for (const pipeline of [runtime.incoming, runtime.outgoing]) pipeline.use(slowly(clock, stageMs));
    for (const kind of [ledger, payer, shopper]) runtime.host(kind as typeof ledger);
    runtime.host(alarm);
    const started = runtime.start();
    started.catch(() => store.kill()); // a bad day at the start: it has stopped by itself
    const process = { runtime, store, started };
    this.#processes.push(process);
    return process;
  }

  /** Nothing more happens to the stores of its processes. */
  spare(): void {
    for (const { store } of this.#processes) store.spare();
  }

  /** Stops a process in order, in its own time. */
  stop(process: Process): Promise<void> {
    this.#processes = this.#processes.filter((other) => other !== process);
    return process.runtime.stop();
  }

  /** True when the store has a hyperty at `address`. */
  hasKept(address: string): boolean {
    return this.keysOf('d/').some((key) => key.endsWith(`/${address}`));
  }

  /** What the store keeps of one of its hyperties. */
  contextOf(hyperty: string): unknown {
    const address = this.at(hyperty);
    for (const [key, value] of this.medium.values)
      if (key.startsWith('d/') && key.endsWith(`/${address}`))
        return (JSON.parse(value) as { snapshot: { context: unknown } }).snapshot.context;
    return undefined;
  }

  /** Keys that begin with one of these prefixes. */
  keysOf(...prefixes: readonly string[]): readonly string[] {
    return [...this.medium.values.keys()].filter((key) => prefixes.some((prefix) => key.startsWith(prefix)));
  }

  /** A dead process's timers do not run. */
  #clockAhead(skewMs: number, isDead: () => boolean): Clock {
    const { clock } = this.#world;
    return {
      now: () => clock.now() + skewMs,
      setTimeout: (run, delayMs) =>
        clock.setTimeout(() => {
          if (!isDead()) run();
        }, delayMs),
      clearTimeout: (timer) => clock.clearTimeout(timer),
    };
  }
}
