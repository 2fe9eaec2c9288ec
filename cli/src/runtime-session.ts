/**
 * A runtime on one Matrix session, from the world's accounts or from any other.
 */
import type { Session } from '@hyperty/bridge';
import type { Runtime } from '@hyperty/runtime';

/** A started runtime and what must be given back when it ends. */
export interface RuntimeSession {
  readonly runtime: Runtime;
  /** The account's Matrix id. */
  readonly userId: string;
  /** Stops the runtime, then gives the session back. Does nothing the second time. */
  end(): Promise<void>;
}

/**
 * Starts a runtime on `session`. When it does not start, the session is given back.
 * The Matrix client is loaded here, not before: most commands do without.
 */
export async function startRuntime(session: Session, giveBack: () => Promise<void>): Promise<RuntimeSession> {
  try {
    const [{ createRuntime }, { createMatrixProtostub }] = await loadFabric();
    const runtime = createRuntime({ protostubs: [createMatrixProtostub({ session })] });
    await runtime.start();
    let ended: Promise<void> | undefined;
    return {
      runtime,
      userId: session.userId,
      end: () => (ended ??= runtime.stop().finally(giveBack)),
    };
  } catch (error) {
    await giveBack();
    throw error;
  }
}

/** Loads what a runtime on Matrix consists of; called early, it overlaps with other waiting. */
export function loadFabric() {
  return Promise.all([import('@hyperty/runtime'), import('@hyperty/bridge')]);
}
