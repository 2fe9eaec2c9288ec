/** Hosting a machine that nobody sends anything from outside. */
import { defineHyperty, type Runtime } from '@hyperty/runtime';
import type { ActorRefFrom, AnyStateMachine } from 'xstate';

/** A machine that runs in a runtime. */
export interface HostedMachine<M extends AnyStateMachine> {
  readonly actor: ActorRefFrom<M>;
  stop(): void;
}

/** Hosts `machine` as a hyperty called `machine`. */
export function hostMachine<M extends AnyStateMachine>(runtime: Runtime, machine: M): HostedMachine<M> {
  const descriptor = { name: 'machine', version: '1.0.0' };
  const definition = defineHyperty({
    descriptor,
    accepts: {},
    emits: {},
    machine: machine as AnyStateMachine,
  });
  const hosted = runtime.host(definition);
  return { actor: hosted.actor as ActorRefFrom<M>, stop: () => hosted.stop() };
}
