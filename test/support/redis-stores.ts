/** Stores on one Redis for one test: on a namespace of their own, some with a way to Redis that a test can cut. */
import { randomUUID } from 'node:crypto';
import { createRedisStore, type RedisStoreOptions } from '@hyperty/services';
import { FabricError, type Store } from '@hyperty/runtime';
import { requireRedis, type TestRedis } from './redis.ts';
import { createTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** What one test opens. */
export interface RedisStores {
  readonly namespace: string;
  open(options?: Partial<RedisStoreOptions>): Promise<Store>;
  openBehindProxy(
    options?: Partial<RedisStoreOptions>,
  ): Promise<{ readonly store: Store; readonly way: TcpProxy }>;
  /** Closes all stores and proxies. */
  close(): Promise<void>;
}

/** A Redis for a whole suite, and stores for each of its tests. */
export interface RedisSuite {
  readonly redis: TestRedis;
  readonly stores: RedisStores;
}

/** Starts a Redis for the suite that calls it, or skips the suite; each test gets an empty namespace. */
export function suiteOnRedis(): RedisSuite {
  let redis: TestRedis | undefined;
  let stores: RedisStores | undefined;
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new TypeError('Redis is there for hooks and tests of the suite only.');
    return value;
  };
  const suite: RedisSuite = {
    get redis() {
      return started(redis);
    },
    get stores() {
      return started(stores);
    },
  };
  before(async function () {
    redis = await requireRedis(this);
  });
  beforeEach(() => {
    stores = createRedisStores(suite.redis);
  });
  afterEach(() => suite.stores.close());
  after(() => redis?.close()); // without a Redis there is nothing to end
  return suite;
}

/** Makes an empty namespace. */
function createRedisStores(redis: TestRedis): RedisStores {
  const namespace = randomUUID();
  const stores: Store[] = [];
  const ways: TcpProxy[] = [];
  const open = async (options: Partial<RedisStoreOptions> = {}): Promise<Store> => {
    const store = await createRedisStore({ url: redis.url, namespace, ...options });
    stores.push(store);
    return store;
  };
  return {
    namespace,
    open,
    openBehindProxy: async (options = {}) => {
      const way = await createTcpProxy({ targetPort: redis.port });
      ways.push(way);
      return { store: await open({ ...options, url: `redis://127.0.0.1:${way.port}` }), way };
    },
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
      await Promise.all(ways.map((way) => way.close()));
    },
  };
}

/** A change of one key. */
export const put = (key: string, value: string): { key: string; value: string } => ({ key, value });

/** What work failed with. */
export async function errorOf(work: Promise<unknown>): Promise<FabricError> {
  const caught: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (caught instanceof FabricError) return caught;
  throw new Error(`expected a FabricError, got ${String(caught)}`, { cause: caught });
}
