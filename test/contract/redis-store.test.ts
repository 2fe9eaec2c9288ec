/** The store on Redis keeps the contract. */
import { randomUUID } from 'node:crypto';
import { createRedisStore } from '@hyperty/services';
import { storeContract } from '@hyperty/runtime/testing';
import { requireRedis, type TestRedis } from '../support/redis.ts';

describe('the store on Redis', function () {
  this.timeout(60_000);
  let redis: TestRedis;

  before(async function () {
    redis = await requireRedis(this);
  });

  after(async () => {
    // Without a Redis there is nothing to end.
    if (redis as TestRedis | undefined) await redis.close();
  });

  const cases = storeContract({
    async create() {
      const namespace = randomUUID();
      return () => createRedisStore({ url: redis.url, namespace });
    },
    outlivesClose: true,
  });
  for (const { name, run } of cases) it(name, run);
});
