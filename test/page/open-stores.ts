/** IndexedDB stores of one page or worker, for tests that call them from outside. */
import { FabricError, type Store } from '@hyperty/runtime';
import { createIndexedDbStore } from '@hyperty/runtime/browser';

/** A method of a store whose arguments and result are plain data. */
export type Method = 'get' | 'range' | 'commit' | 'acquire' | 'release' | 'holderOf' | 'close';

/** One call of a method, as it goes to a worker. */
export interface Call {
  readonly name: string;
  readonly method: Method;
  readonly values: readonly unknown[];
}

/** What a call came to: its result, or why it was refused. */
export type Outcome = { readonly value: unknown } | { readonly refused: string; readonly message: string };

const stores = new Map<string, Promise<Store>>();
const heard = new Map<string, (readonly string[] | null)[]>();

/** The store of this name; opened at its first use. */
function storeOf(name: string, openTimeoutMs = 10_000): Promise<Store> {
  const store = stores.get(name) ?? createIndexedDbStore({ name, openTimeoutMs });
  stores.set(name, store);
  return store;
}

/** Opens a store. */
export const open = (name: string, openTimeoutMs?: number): Promise<Outcome> =>
  outcomeOf(storeOf(name, openTimeoutMs).then(() => true));

/** Calls a method of a store. */
export const call = (name: string, method: Method, ...values: readonly unknown[]): Promise<Outcome> =>
  outcomeOf(
    storeOf(name).then((store) =>
      (store[method] as (...values: readonly unknown[]) => Promise<unknown>)(...values),
    ),
  );

/** Listens from now on. */
export async function watch(name: string, prefix: string): Promise<void> {
  const keys: (readonly string[] | null)[] = [];
  heard.set(name, keys);
  (await storeOf(name)).watch(prefix, (changed) => keys.push(changed ?? null));
}

/** What was heard; null: look at everything. */
export const heardOf = (name: string): readonly (readonly string[] | null)[] => heard.get(name) ?? [];

async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await work };
  } catch (error) {
    if (error instanceof FabricError) return { refused: error.code, message: error.message };
    throw error;
  }
}
