/** The children of a machine that has crashed. */
import type { AnyActorRef } from 'xstate';

/** XState leaves the children of a root that failed running; its own `stop` refuses them, as they are no roots. */
export function stopChildren(actor: AnyActorRef): void {
  const { children = {} } = actor.getSnapshot() as { children?: Record<string, { _stop?: () => unknown }> };
  for (const child of Object.values(children)) child._stop?.();
}
