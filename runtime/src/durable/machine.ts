/**
 * The machine of a durable hyperty in memory: an XState actor that can be written down at any moment between two events
 * and started again from what was written. XState's own snapshot lacks delayed events; they are kept beside it.
 */
import { createActor, type AnyActorRef } from 'xstate';
import { attachFabric, type FabricContext } from '../actor/context.ts';
import { stopChildren } from '../actor/children.ts';
import type { Hosting } from '../actor/hosting.ts';
import { FabricError } from '../message/error.ts';
import type { HypertyRecord, StoredTimer } from './record.ts';

/** What is written of a machine. */
export type MachineState = Pick<HypertyRecord, 'snapshot' | 'timers' | 'isBusy'>;

/** What a machine tells its host. */
export interface MachineEvents {
  /** It has made a transition. */
  readonly changed: () => void;
  readonly crashed: (thrown: unknown) => void;
  readonly completed: () => void;
}

interface Scheduled {
  readonly source: AnyActorRef;
  readonly target: AnyActorRef;
  readonly event: { readonly type: string };
  readonly delay: number;
  readonly id: string;
}

type ScheduleArguments = [
  source: AnyActorRef,
  target: AnyActorRef,
  event: { readonly type: string },
  delayMs: number,
  id: string,
];

interface SystemInternals {
  readonly scheduler: { schedule: (...args: ScheduleArguments) => void };
  getSnapshot(): { readonly _scheduledEvents: Readonly<Record<string, Scheduled>> };
}

/** A machine under way. */
export class Machine {
  readonly actor: AnyActorRef;
  readonly #now: () => number;
  readonly #dueMs = new WeakMap<Scheduled, number>();
  #live = true;

  /**
   * Makes the machine, from its beginning or from what was written of it; it does not run before {@link start}.
   * @throws FabricError `invalid` when what was written does not fit the machine
   */
  constructor(
    hosting: Hosting,
    fabric: FabricContext,
    parts: { stored: MachineState | undefined; events: MachineEvents },
  ) {
    const { clock } = fabric.bus;
    const { stored, events } = parts;
    this.#now = () => clock.now();
    this.actor = createActor(hosting.definition.machine, {
      input: hosting.options.input,
      clock: {
        setTimeout: (run: () => void, delayMs: number) =>
          clock.setTimeout(() => this.#live && fabric.turn(run), delayMs),
        clearTimeout: (timer: unknown) => clock.clearTimeout(timer),
      },
      ...(stored ? { snapshot: stored.snapshot as never } : {}),
    });
    attachFabric(this.actor.system, fabric);
    const { status, error } = this.actor.getSnapshot() as { status: string; error?: unknown };
    if (stored && status === 'error') throw doesNotFit(fabric.address, error);
    this.actor.subscribe({
      next: () => this.#live && events.changed(),
      error: (thrown: unknown) => this.#live && events.crashed(thrown),
      complete: () => this.#live && events.completed(),
    });
  }

  /** Runs it; what it was waiting for when it was written is due when it would have been. */
  start(timers: readonly StoredTimer[]): void {
    this.actor.start();
    for (const timer of timers) this.#schedule(timer);
  }

  /** Writes it down. */
  capture(): MachineState {
    const snapshot = this.actor.getPersistedSnapshot();
    const { children } = snapshot as { children?: Readonly<Record<string, unknown>> };
    return {
      snapshot,
      timers: this.#timers(),
      isBusy: children !== undefined && Object.keys(children).length > 0,
    };
  }

  /** True when the machine has ended by itself. */
  get isDone(): boolean {
    return (this.actor.getSnapshot() as { status: string }).status === 'done';
  }

  /** Lets go of it without a word: it has passed out of memory, or crashed. */
  discard(): void {
    this.#live = false;
    if ((this.actor.getSnapshot() as { status: string }).status === 'error') stopChildren(this.actor);
    else this.actor.stop();
  }

  #timers(): readonly StoredTimer[] {
    const scheduled = Object.values(internalsOf(this.actor).getSnapshot()._scheduledEvents);
    return scheduled.flatMap((timer) => {
      const { source, target, event, delay: delayMs, id } = timer;
      const [from, to] = [this.#pathTo(source), this.#pathTo(target)];
      if (!from || !to) return []; // set by, or for, somebody outside this machine, who is not kept
      const dueMs = this.#dueMs.get(timer) ?? this.#now() + delayMs;
      this.#dueMs.set(timer, dueMs);
      return [{ id, source: from, target: to, event, dueMs, delayMs }];
    });
  }

  #schedule({ id, source, target, event, dueMs, delayMs }: StoredTimer): void {
    const [from, to] = [this.#find(source), this.#find(target)];
    if (!from || !to) return;
    const system = internalsOf(this.actor);
    const leftMs = Math.min(delayMs, Math.max(0, dueMs - this.#now()));
    system.scheduler.schedule(from, to, event, leftMs, id);
    const set = Object.values(system.getSnapshot()._scheduledEvents).find(
      (one) => one.source === from && one.id === id,
    );
    if (set) this.#dueMs.set(set, Math.min(dueMs, this.#now() + delayMs));
  }

  #pathTo(actor: AnyActorRef): readonly string[] | undefined {
    const path: string[] = [];
    for (let at: AnyActorRef | undefined = actor; at !== this.actor; at = at._parent) {
      if (!at) return undefined;
      path.unshift(at.id);
    }
    return path;
  }

  #find(path: readonly string[]): AnyActorRef | undefined {
    let at: AnyActorRef | undefined = this.actor;
    for (const id of path) {
      const { children } = (at?.getSnapshot() ?? {}) as {
        children?: Record<string, AnyActorRef | undefined>;
      };
      at = children?.[id];
    }
    return at;
  }
}

const internalsOf = (actor: AnyActorRef): SystemInternals => actor.system;

const doesNotFit = (address: string, cause: unknown): FabricError =>
  new FabricError(
    'invalid',
    `What the store has of ${address} does not fit its machine any more: ${(cause as Error).message}. ` +
      'Raise the version of its definition and give a migration.',
    { cause },
  );
