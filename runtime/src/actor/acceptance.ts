/** Whether a hyperty's machine takes an event in its present state. */
import type { AnyActorRef, AnyMachineSnapshot, EventObject } from 'xstate';
import { FabricError } from '../message/error.ts';

/** True when the machine has a transition for the event in its state; other logic takes whatever it accepts. */
export function canTake(actor: AnyActorRef, event: EventObject): boolean {
  const snapshot = actor.getSnapshot() as Partial<AnyMachineSnapshot>;
  if (!snapshot.machine) return true;
  try {
    return snapshot.machine.getTransitionData(snapshot as AnyMachineSnapshot, event).length > 0;
  } catch {
    return true; // a guard throws: sending the event makes it the crash that it is
  }
}

/** What a sender hears whose event fits another state. */
export function wrongState(address: string, type: string, actor: AnyActorRef): FabricError {
  const state = JSON.stringify((actor.getSnapshot() as { value?: unknown }).value);
  return new FabricError('conflict', `${address} does not take "${type}" in its state ${state}.`, {
    details: { state },
  });
}
