/**
 * A runtime on one Matrix session, from the world's accounts or from any other, and how it can be watched.
 */
import { FabricError, type Logger, type Runtime, type RuntimeOptions, type Store } from '@hyperty/runtime';
import { socketPathFor } from './inspection/socket-folder.ts';
import { openNamedStore, type NamedStore } from './named-store.ts';
import type { SessionLease } from './world/session-pool.ts';

/** A session that a runtime may use; one of no world has nothing to remember. */
export type RuntimeLease = Omit<SessionLease, 'memoryFolder'> & Partial<SessionLease>;

/** Where a runtime keeps things, and how it tells what it does. */
export interface RuntimeSessionOptions {
  /** The store in which its durable hyperties live. Default: it can host none. */
  readonly store?: NamedStore | undefined;
  /** Hears of hyperties that crashed too often. Default: the logger does. */
  readonly onEscalation?: RuntimeOptions['onEscalation'];
  /** Keeps the registry of the domain told of what it hosts. Default: it does not. */
  readonly registers?: boolean;
  /** Default: warnings and errors on the console. */
  readonly logger?: Logger;
  /** The world's folder: the runtime can be watched there with `hyperty inspect`. Default: it cannot be watched. */
  readonly dir?: string;
  /** Offers metrics to Prometheus on this port of the loopback interface. Default: it does not. */
  readonly metricsPort?: number;
}

/** A started runtime and what must be given back when it ends. */
export interface RuntimeSession {
  readonly runtime: Runtime;
  /** The account's Matrix id. */
  readonly userId: string;
  /** Where Prometheus finds the metrics, if it does. */
  readonly metricsUrl: string | undefined;
  /** Why the runtime cannot be watched although it should; it runs all the same. */
  readonly unwatchable: FabricError | undefined;
  /** Stops the runtime, then closes its store and gives the session back. Does nothing the second time. */
  end(): Promise<void>;
}

/**
 * Starts a runtime on a session. When it does not start, the session is given back.
 * The Matrix client is loaded here, not before: most commands do without.
 * @throws FabricError `conflict` when the port for metrics is in use, and as the store and the protostub do
 */
export async function startRuntime(
  lease: RuntimeLease,
  options: RuntimeSessionOptions = {},
): Promise<RuntimeSession> {
  const { session, memoryFolder, release } = lease;
  const undo: (() => Promise<void>)[] = [release];
  let ended: Promise<void> | undefined;
  const end = (): Promise<void> => (ended ??= inReverse(undo));
  try {
    const [{ createRuntime }, { createMatrixProtostub }, { createFileStorage }] = await loadFabric();
    const store = await openStore(options, undo);
    const runtime = createRuntime({
      protostubs: [createMatrixProtostub({ session })],
      ...(memoryFolder === undefined ? {} : { storage: createFileStorage(memoryFolder) }),
      ...(options.logger === undefined ? {} : { logger: options.logger }),
      ...(store === undefined ? {} : { store }),
      ...(options.registers === true ? { registry: {} } : {}),
      ...(options.onEscalation === undefined ? {} : { onEscalation: options.onEscalation }),
    });
    const watching = await startWatching(runtime, options, undo);
    undo.push(() => runtime.stop());
    await runtime.start();
    return { runtime, userId: session.userId, ...watching, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** @throws FabricError as `openNamedStore` does */
async function openStore(
  { store: named, logger }: RuntimeSessionOptions,
  undo: (() => Promise<void>)[],
): Promise<Store | undefined> {
  if (named === undefined) return undefined;
  const store = await openNamedStore(named, { logger });
  undo.push(() => store.close());
  return store;
}

/** Begins before the runtime starts and ends after it has stopped: starting and stopping can be watched as well. */
async function startWatching(
  runtime: Runtime,
  { dir, metricsPort, logger }: RuntimeSessionOptions,
  undo: (() => Promise<void>)[],
): Promise<Pick<RuntimeSession, 'metricsUrl' | 'unwatchable'>> {
  const [, , { serveInspection, startMetrics }] = await loadFabric();
  let metricsUrl: string | undefined;
  if (metricsPort !== undefined) {
    const options = { port: metricsPort, ...(logger === undefined ? {} : { logger }) };
    const metrics = await startMetrics(runtime, options);
    metricsUrl = metrics.url;
    undo.push(() => metrics.stop());
  }
  if (dir === undefined) return { metricsUrl, unwatchable: undefined };
  try {
    const inspection = await serveInspection(runtime, { path: await socketPathFor(dir, runtime.address) });
    undo.push(() => inspection.stop());
    return { metricsUrl, unwatchable: undefined };
  } catch (error) {
    return { metricsUrl, unwatchable: FabricError.from(error) };
  }
}

/** What was begun last ends first; all of it does, and the first failure is told. */
async function inReverse(undo: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of undo.toReversed()) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Loads what a runtime on Matrix consists of; called early, it overlaps with other waiting. */
export function loadFabric() {
  return Promise.all([
    import('@hyperty/runtime'),
    import('@hyperty/bridge'),
    import('@hyperty/runtime/node'),
  ]);
}
