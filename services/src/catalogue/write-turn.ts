/** Who may write the catalogue just now: one request at a time, over all processes that share its store. */
import { delay, FabricError, type Clock, type Lease, type Store, type Write } from '@hyperty/runtime';

/** Reads and writes with nobody else writing in between. */
export interface WriteTurn {
  /** Commits what it was given, unless another process has taken over. @throws FabricError `conflict storage` */
  readonly commit: (writes: readonly Write[]) => Promise<void>;
}

/** Gives turns. */
export type TakeTurn = <T>(work: (turn: WriteTurn) => Promise<T>) => Promise<T>;

const LEASE = 'service/catalogue/writer';
const LEASE_MS = 5000;
const RETRY_MS = 50;
const PATIENCE_MS = 15_000;

/**
 * Creates what gives turns. A turn rejects with `rate-limited` when others write for longer than 15 s.
 * @param holder random name of this process
 */
export function createWriteTurns(store: Store, clock: Clock, holder: string): TakeTurn {
  let last: Promise<unknown> = Promise.resolve();
  const take = async <T>(work: (turn: WriteTurn) => Promise<T>): Promise<T> => {
    const lease = await acquire(store, clock, holder);
    try {
      return await work({ commit: (writes) => store.commit(writes, [lease]) });
    } finally {
      await store.release(lease).catch(() => undefined); // it runs out by itself
    }
  };
  return (work) => {
    const turn = last.then(() => take(work));
    last = turn.catch(() => undefined); // whoever asked for it hears of it
    return turn;
  };
}

async function acquire(store: Store, clock: Clock, holder: string): Promise<Lease> {
  const deadline = clock.now() + PATIENCE_MS;
  for (;;) {
    const lease = await store.acquire(LEASE, { holder, ttlMs: LEASE_MS });
    if (lease) return lease;
    if (clock.now() > deadline)
      throw new FabricError(
        'rate-limited',
        'Others are writing to the catalogue; try again in a few seconds.',
      );
    await delay(clock, RETRY_MS);
  }
}
