/** A store as one process has it: it ends with its process without a word, and it has bad days. */
import { FabricError } from '../../message/error.ts';
import type { Store } from '../../store/store.ts';

/** What goes wrong with commits. `refused`: nothing of them is done; `unknown`: they are done, and nobody is told so. */
export type Trouble = 'refused' | 'unknown';

/** A store whose process can end. */
export interface MortalStore extends Store {
  /** From now on nothing that it is asked to do is done, nothing settles, and nothing is heard of changes. */
  kill(): void;
  /** Has all commits fail as `storage`, until this is ended with undefined. */
  trouble(trouble: Trouble | undefined): void;
}

type Call<A extends unknown[], T> = (...args: A) => Promise<T>;

/** Gives a store to a process that can end. */
export function createMortalStore(store: Store): MortalStore {
  const state = { isDead: false, trouble: undefined as Trouble | undefined };
  const mortal =
    <A extends unknown[], T>(call: Call<A, T>): Call<A, T> =>
    async (...args) => {
      const outcome = state.isDead ? undefined : await settled(call(...args));
      if (!outcome || state.isDead) return new Promise<never>(() => undefined);
      return outcome.result;
    };
  return {
    name: store.name,
    durability: store.durability,
    kill: () => void (state.isDead = true),
    trouble: (trouble) => void (state.trouble = trouble),
    get: mortal((key) => store.get(key)),
    range: mortal((range) => store.range(range)),
    commit: mortal(async (...batch: Parameters<Store['commit']>) => {
      const { trouble } = state;
      if (trouble !== 'refused') await store.commit(...batch);
      if (trouble) throw troubled(store.name, trouble);
    }),
    acquire: mortal((...request: Parameters<Store['acquire']>) => store.acquire(...request)),
    release: mortal((lease) => store.release(lease)),
    holderOf: mortal((name) => store.holderOf(name)),
    watch: (prefix, listener) =>
      store.watch(prefix, (keys) => {
        if (!state.isDead) listener(keys);
      }),
    close: () => store.close(),
  };
}

/** Waits for a call; whether it succeeds is told by the promise that comes of it. */
async function settled<T>(call: Promise<T>): Promise<{ readonly result: Promise<T> }> {
  await call.catch(() => undefined);
  return { result: call };
}

const troubled = (name: string, trouble: Trouble): FabricError =>
  new FabricError(
    'storage',
    `${name} takes nothing now; it will later.`,
    trouble === 'unknown' ? { details: { outcome: 'unknown' } } : {},
  );
