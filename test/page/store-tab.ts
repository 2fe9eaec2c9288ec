/** What a tab does with IndexedDB stores, and with their databases behind their backs. */
import { call, type Call, type Outcome } from './open-stores.ts';

export { call, heardOf, open, watch } from './open-stores.ts';

const SCRIPT = '/store-worker.js';
const dedicated = new Map<string, Worker>();

/** Calls a method of a store in a dedicated worker. */
export function callInWorker(...[name, method, ...values]: Parameters<typeof call>): Promise<Outcome> {
  const worker = dedicated.get(name) ?? new Worker(SCRIPT, { type: 'module' });
  dedicated.set(name, worker);
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data as Outcome);
    worker.postMessage({ name, method, values } satisfies Call);
  });
}

/** Calls a method of a store in the worker that all tabs share. */
export function callInSharedWorker(...[name, method, ...values]: Parameters<typeof call>): Promise<Outcome> {
  const { port } = new SharedWorker(SCRIPT, { type: 'module' });
  return new Promise((resolve) => {
    port.onmessage = ({ data }) => resolve(data as Outcome);
    port.postMessage({ name, method, values } satisfies Call);
  });
}

/** Commits a value of so many characters that cannot be compressed, with a small one before it. */
export function commitLarge(name: string, key: string, chars: number): Promise<Outcome> {
  const random = new Uint8Array(65_536);
  let value = '';
  while (value.length < chars) {
    crypto.getRandomValues(random);
    for (const byte of random) value += String.fromCharCode(0x100 + byte);
  }
  return call(name, 'commit', [
    { key: `${key}/small`, value: 'v' },
    { key, value: value.slice(0, chars) },
  ]);
}

/** Asks for commits and, in the same turn, for another version of the database; resolves with what came of them. */
export function commitAndMakeWay(name: string, version: number): Promise<readonly Outcome[]> {
  const commits = ['a', 'b', 'c'].map((key) => call(name, 'commit', [{ key, value: key }]));
  return Promise.all([...commits, makeDatabase(name, version).then((made) => ({ value: made }))]);
}

/** Opens a database as another program, or another version, does. Resolves with its version. */
export async function makeDatabase(name: string, version: number): Promise<number> {
  const request = indexedDB.open(name, version);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('no reason was given'));
  });
  const made = database.version;
  database.close();
  return made;
}

/** Makes the record of a lease malformed. */
export async function spoilLease(name: string, lease: string): Promise<void> {
  const request = indexedDB.open(name, 1);
  await new Promise((resolve) => (request.onsuccess = resolve));
  const transaction = request.result.transaction('leases', 'readwrite');
  transaction.objectStore('leases').put('{"token":"many"}', lease);
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  request.result.close();
}

/** Databases that nobody may collect: collecting one closes it. */
const held: unknown[] = [];

/** Has somebody hold a database who makes no way, and somebody else ask for its deletion. */
export async function makeStuck(name: string): Promise<void> {
  const holder = indexedDB.open(name, 1);
  held.push(holder);
  await new Promise((resolve) => (holder.onsuccess = resolve));
  held.push(holder.result);
  const deletion = indexedDB.deleteDatabase(name);
  held.push(deletion);
  await new Promise((resolve) => (deletion.onblocked = resolve));
}

/** What a browser does when it takes a page out of its back/forward cache. */
export const comeBack = (): boolean =>
  globalThis.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
