/** A store in memory as a process sees one on a bad day: it takes its time, fails now and then, and dies at a chosen call. */
import { createMemoryStore, FabricError, type Clock, type MemoryMedium, type Store } from '@hyperty/runtime';

/** A store of a process that can be killed: from then on nothing that it is asked ever settles. */
export interface FrailStore extends Store {
  /** Calls that were made. */
  readonly calls: number;
  readonly isDead: boolean;
  kill(): void;
  /** Dies at the `n`-th call from now: before it takes effect, or after. */
  dieIn(n: number, moment: Moment): void;
  /** Refuses the next `n` calls as `storage`; `after` lets them take effect, and says that nobody knows. */
  failNext(n: number, moment: Moment): void;
  /** Forgets what was to come. */
  spare(): void;
}

/** Relative to what a call does. */
export type Moment = 'before' | 'after';

/** What a frail store is made of. */
export interface FrailStoreOptions {
  readonly clock: Clock;
  /** How long the next call takes, milliseconds. Default 0. */
  readonly latencyMs?: () => number;
  /** How much later than it happened a change is noticed, milliseconds. Default 0. */
  readonly noticeMs?: () => number;
  readonly onDeath?: () => void;
}

/** Opens a frail store on a medium that outlives it. */
export function createFrailStore(medium: MemoryMedium, options: FrailStoreOptions): FrailStore {
  const { clock, latencyMs = () => 0, noticeMs = () => 0, onDeath } = options;
  const store = createMemoryStore({ medium, clock });
  let [calls, dieAt, failUntil, lastAt] = [0, Infinity, 0, 0];
  let [dies, fails]: Moment[] = ['before', 'before'];
  let dead = false;
  const isDead = (): boolean => dead;
  const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
  const kill = (): void => {
    if (dead) return;
    dead = true;
    onDeath?.();
  };
  /** Calls are carried out in the order in which they were made. */
  const latency = async (): Promise<void> => {
    const ms = latencyMs();
    lastAt = Math.max(lastAt, clock.now() + ms);
    const waitMs = lastAt - clock.now();
    if (waitMs > 0) await new Promise<void>((resolve) => void clock.setTimeout(resolve, waitMs));
  };
  const frail =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      if (dead) return never();
      calls += 1;
      const [isLast, hasFailed] = [calls === dieAt, calls <= failUntil];
      const moment = isLast ? dies : fails;
      await latency();
      if (isDead()) return never();
      if (isLast && moment === 'before') kill();
      else if (!hasFailed || moment === 'after') {
        const result = await call(...args);
        if (isLast) kill();
        if (!isDead() && !hasFailed) return result;
      }
      if (isDead()) return never();
      throw new FabricError('storage', 'The store has a bad day.', moment === 'after' ? { details: { outcome: 'unknown' } } : {}); // prettier-ignore
    };
  return {
    name: store.name,
    durability: store.durability,
    get calls() {
      return calls;
    },
    get isDead() {
      return dead;
    },
    kill,
    dieIn: (n, moment) => void ([dieAt, dies] = [calls + n, moment]),
    failNext: (n, moment) => void ([failUntil, fails] = [calls + n, moment]),
    spare: () => void ([dieAt, failUntil] = [Infinity, 0]),
    get: frail((key) => store.get(key)),
    range: frail((range) => store.range(range)),
    commit: frail((...batch: Parameters<Store['commit']>) => store.commit(...batch)),
    acquire: frail((...request: Parameters<Store['acquire']>) => store.acquire(...request)),
    release: frail((lease) => store.release(lease)),
    holderOf: frail((name) => store.holderOf(name)),
    watch: (prefix, listener) =>
      store.watch(prefix, (keys) => {
        const notice = (): void => {
          if (!dead) listener(keys);
        };
        const ms = noticeMs();
        if (ms > 0) clock.setTimeout(notice, ms);
        else notice();
      }),
    close: () => store.close(),
  };
}
