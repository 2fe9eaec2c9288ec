/**
 * Steps: actor logic that does one thing beyond the machine and is done with its result. Unlike XState's promises, a
 * step has a name that outlives a restart, begins only once the transition that started it is durable, and its result
 * reaches the machine in one go, so that both are kept together.
 */
import type { AnyActorRef, PromiseActorLogic, PromiseSnapshot } from 'xstate';
import { fabricOf, type AnySystem, type FabricContext } from './context.ts';

/** How a step ends; what its `onError` gets may be anything. */
export type StepOutcome =
  { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'error'; readonly error: unknown };

/** One step under way. */
export interface Step<I> {
  /** The same after a restart, another one each time that the machine starts the step. */
  readonly key: string;
  /** True when an earlier life of the hyperty began this step already. */
  readonly isRestored: boolean;
  readonly input: I;
  readonly fabric: FabricContext;
  /** Ends the step. Has no effect once it has ended. */
  readonly settle: (outcome: StepOutcome) => void;
}

type StepSnapshot<O, I> = PromiseSnapshot<O, I> & { key?: string };

interface Settled {
  readonly type: '@hyperty.settled';
  readonly outcome: StepOutcome;
}

/**
 * Makes logic of a step.
 * @param begin starts the work and returns how it is given up when the machine leaves the state
 */
export function stepLogic<O, I>(begin: (step: Step<I>) => () => void): PromiseActorLogic<O, I> {
  const undo = new WeakMap<AnyActorRef, () => void>();
  const logic = {
    config: begin,
    getInitialSnapshot: (_scope: unknown, input: I): StepSnapshot<O, I> => ({
      status: 'active',
      output: undefined,
      error: undefined,
      input,
    }),
    start(snapshot: StepSnapshot<O, I>, { self, system }: { self: AnyActorRef; system: AnySystem }): void {
      if (snapshot.status !== 'active') return;
      const fabric = fabricOf(system);
      const isRestored = snapshot.key !== undefined;
      snapshot.key ??= fabric.bus.ids.next(); // the snapshot is still this actor's alone; what is kept has the key
      const { key } = snapshot;
      const settle: Step<I>['settle'] = (outcome) => {
        if (statusOf(self) === 'active') self.send({ type: '@hyperty.settled', outcome });
      };
      undo.set(self, begin({ key, isRestored, input: snapshot.input as I, fabric, settle }));
    },
    transition(
      snapshot: StepSnapshot<O, I>,
      event: { readonly type: string },
      { self }: { self: AnyActorRef },
    ): StepSnapshot<O, I> {
      if (event.type === 'xstate.stop') undo.get(self)?.();
      return next(snapshot, event);
    },
    getPersistedSnapshot: (snapshot: StepSnapshot<O, I>) => snapshot,
    restoreSnapshot: (snapshot: unknown) => ({ ...(snapshot as StepSnapshot<O, I>) }),
  };
  return logic; // what XState has no type for: a step's key
}

function next<O, I>(snapshot: StepSnapshot<O, I>, event: { readonly type: string }): StepSnapshot<O, I> {
  if (snapshot.status !== 'active') return snapshot;
  const ended = { ...snapshot, output: undefined, error: undefined, input: undefined };
  if (event.type === 'xstate.stop') return { ...ended, status: 'stopped' };
  if (event.type !== '@hyperty.settled') return snapshot;
  const { outcome } = event as Settled;
  return outcome.kind === 'value'
    ? { ...ended, status: 'done', output: outcome.value as O }
    : { ...ended, status: 'error', error: outcome.error };
}

const statusOf = (actor: AnyActorRef): string => (actor.getSnapshot() as { status: string }).status;
