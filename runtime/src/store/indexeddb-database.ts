/**
 * The database of an IndexedDB store: opening with all checks, its layout, and what its errors mean.
 * It knows nothing of batches and leases. Source: https://www.w3.org/TR/IndexedDB-3/.
 */
import { FabricError } from '../message/error.ts';
import { atMost, type Clock } from '../platform/clock.ts';

/** An object store of the database: text values by key, and lease records as JSON text by lease name. */
export type Part = 'values' | 'leases';

/** All parts, for transactions over both. */
export const parts: readonly Part[] = ['values', 'leases'];

/** Layout that this code reads and writes; the version of the database. */
const FORMAT = 1;

/** How to reach a database. */
export interface DatabaseOptions {
  readonly name: string;
  readonly clock: Clock;
  /** What browsers offer as `indexedDB`; undefined where there is none. */
  readonly indexedDB: IDBFactory | undefined;
  /** Longest wait for others that hold the database while it is changed to another version or deleted. */
  readonly openTimeoutMs: number;
}

/** What to call a store of this name in messages. */
export const databaseName = (name: string): string => `the IndexedDB store "${name}"`;

/**
 * Opens the database, creating it when there is none.
 * @throws FabricError `unsupported` (no IndexedDB here, or made by a newer version), `invalid` (another program's),
 * `internal` (the browser has thrown its data away as damaged), `storage` (cannot be opened, or others hold it for too
 * long)
 */
export async function openDatabase(options: DatabaseOptions): Promise<IDBDatabase> {
  const { name, clock, indexedDB, openTimeoutMs } = options;
  const store = databaseName(name);
  if (!indexedDB) {
    const text = `${store} cannot be opened: there is no IndexedDB here. Use another store outside of browsers.`;
    throw new FabricError('unsupported', text);
  }
  const database = await requestDatabase(indexedDB.open(name, FORMAT), options).catch((caught: unknown) => {
    throw databaseError(caught, store);
  });
  if (parts.every((part) => database.objectStoreNames.contains(part))) {
    // Only now: the browser tells of lost data to whoever comes first.
    await atMost(clock, openTimeoutMs, beginNewLog(indexedDB));
    return database;
  }
  database.close();
  throw new FabricError('invalid', `${store} is a database of another program; choose another name.`);
}

/**
 * Makes Chromium begin a new log. Its LevelDB goes on with the log of before, also behind a record that a crash has cut
 * short; at the next start that log counts as damaged, and all data of the origin are thrown away
 * (https://github.com/google/leveldb/issues/1287). Deleting a database ends the log, at once or a moment later.
 */
async function beginNewLog(indexedDB: IDBFactory): Promise<void> {
  const database = await resultOf(indexedDB.open(SPARE_NAME));
  database.close();
  await resultOf(indexedDB.deleteDatabase(SPARE_NAME));
}

/** A database that is made to be deleted. */
const SPARE_NAME = 'hyperty-spare';

function requestDatabase(
  request: IDBOpenDBRequest,
  { name, clock, openTimeoutMs }: DatabaseOptions,
): Promise<IDBDatabase> {
  const store = databaseName(name);
  return new Promise((resolve, reject) => {
    let givenUp = false;
    let isBlocked = false;
    const timer = clock.setTimeout(() => {
      givenUp = true;
      reject(heldByOthers(store, { isBlocked, openTimeoutMs }));
    }, openTimeoutMs);
    request.onblocked = () => (isBlocked = true);
    request.onupgradeneeded = (event) => {
      const isLost = (event as DataLossEvent).dataLoss === 'total';
      if (isLost) reject(thrownAway(store));
      if (isLost || givenUp) request.transaction?.abort();
      else for (const part of parts) request.result.createObjectStore(part);
    };
    request.onerror = () => {
      clock.clearTimeout(timer);
      reject(reasonOf(request));
    };
    request.onsuccess = () => {
      clock.clearTimeout(timer);
      // Nobody waits any more: an open database would stand in the way of others.
      if (givenUp) request.result.close();
      else resolve(request.result);
    };
  });
}

/** Chromium says in an attribute of its own that it has removed a damaged database. */
interface DataLossEvent extends IDBVersionChangeEvent {
  readonly dataLoss?: 'none' | 'total';
}

function thrownAway(store: string): FabricError {
  const text = `${store} has lost all that it held: the browser found its files damaged and has removed them. Open it again to begin with an empty one.`;
  return new FabricError('internal', text, { details: { damaged: true } });
}

function heldByOthers(
  store: string,
  { isBlocked, openTimeoutMs }: { readonly isBlocked: boolean; readonly openTimeoutMs: number },
): FabricError {
  const why = isBlocked
    ? 'other tabs hold it in an older version'
    : 'it is being deleted or changed to another version, and other tabs hold it';
  const text = `${store} could not be opened within ${openTimeoutMs} ms: ${why}. Close or reload them, and try again.`;
  return new FabricError('storage', text);
}

const reasonOf = ({ error }: IDBRequest): Error => error ?? new Error('the request failed without a reason');

/** Waits for a request's result. Rejects with its `DOMException`. */
export const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(reasonOf(request));
  });

/** Waits until a transaction is durable. Rejects with the reason when it is aborted: it has changed nothing then. */
export const completionOf = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException('the transaction was aborted', 'AbortError'));
  });

/** Aborts a transaction unless it has ended already. */
export function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has ended: there is nothing to abort.
  }
}

/** What to do about a `DOMException`, by its name (https://webidl.spec.whatwg.org/#idl-DOMException-error-names). */
const advice: Readonly<Record<string, string>> = {
  QuotaExceededError:
    "this site's storage is full. Nothing acknowledged is lost; remove data or free disk space, and it goes on.",
  UnknownError:
    'the browser could not read or write its files. Look whether the disk is full or failing, and restart the browser.',
  SecurityError: 'the browser lets this page keep nothing. Allow it to store site data.',
  InvalidStateError:
    "the browser has closed its database, for example because the site's data were cleared. Reload the page.",
  AbortError: 'the browser has aborted the transaction. Try again.',
};

/** What went wrong with a store's database, and what to do about it. */
export function databaseError(caught: unknown, store: string): FabricError {
  if (caught instanceof FabricError) return caught;
  const { name, message } = caught instanceof Error ? caught : new Error(String(caught));
  if (name === 'VersionError') {
    const text = `${store} was written by a newer version (this one knows format ${FORMAT}). Reload the page to get it; nothing was changed.`;
    return new FabricError('unsupported', text, { cause: caught });
  }
  const text = advice[name] ?? `${message} (${name}).`;
  return new FabricError('storage', `${store}: ${text}`, {
    cause: caught,
    details: { reason: name },
  });
}

/** What calls hear once the browser has closed the database by itself. */
export const databaseLost = (store: string): FabricError =>
  databaseError(new DOMException('The database was closed by the browser.', 'InvalidStateError'), store);

/** What calls hear once the store has made way for another version, or for the deletion (`newVersion` null). */
export function madeWay(store: string, newVersion: number | null): FabricError {
  const why =
    newVersion === null
      ? 'somebody deletes it'
      : `a newer version of the fabric (format ${newVersion}) has been started in another tab`;
  return new FabricError('closed', `${store} has been closed because ${why}. Reload the page.`);
}
