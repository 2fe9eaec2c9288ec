/**
 * A runtime on one Matrix session, from the world's accounts or from any other.
 */
import type { Runtime } from '@hyperty/runtime';
import type { SessionLease } from './world/session-pool.ts';

/** A session that a runtime may use; one of no world has nothing to remember. */
export type RuntimeLease = Omit<SessionLease, 'memoryFolder'> & Partial<SessionLease>;

/** A started runtime and what must be given back when it ends. */
export interface RuntimeSession {
  readonly runtime: Runtime;
  /** The account's Matrix id. */
  readonly userId: string;
  /** Stops the runtime, then gives the session back. Does nothing the second time. */
  end(): Promise<void>;
}

/**
 * Starts a runtime on a session. When it does not start, the session is given back.
 * The Matrix client is loaded here, not before: most commands do without.
 */
export async function startRuntime(lease: RuntimeLease): Promise<RuntimeSession> {
  const { session, memoryFolder, release } = lease;
  try {
    const [{ createRuntime }, { createMatrixProtostub }, { createFileStorage }] = await loadFabric();
    const runtime = createRuntime({
      protostubs: [createMatrixProtostub({ session })],
      ...(memoryFolder === undefined ? {} : { storage: createFileStorage(memoryFolder) }),
    });
    await runtime.start();
    let ended: Promise<void> | undefined;
    return {
      runtime,
      userId: session.userId,
      end: () => (ended ??= runtime.stop().finally(release)),
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Loads what a runtime on Matrix consists of; called early, it overlaps with other waiting. */
export function loadFabric() {
  return Promise.all([
    import('@hyperty/runtime'),
    import('@hyperty/bridge'),
    import('@hyperty/runtime/node'),
  ]);
}
