/** Durable hyperties keep their contract on a store on Redis. */
import { randomUUID } from 'node:crypto';
import { createRedisStore } from '@hyperty/services';
import { durableContract } from '@hyperty/runtime/testing';
import { requireRedis, type TestRedis } from '../support/redis.ts';

describe('a durable hyperty on a Redis store', function () {
  this.timeout(60_000);
  let redis: TestRedis;

  before(async function () {
    redis = await requireRedis(this);
  });

  after(async () => {
    // Without a Redis there is nothing to end.
    if (redis as TestRedis | undefined) await redis.close();
  });

  const cases = durableContract({
    async create() {
      const namespace = randomUUID();
      return () => createRedisStore({ url: redis.url, namespace });
    },
  });
  for (const { name, run } of cases) it(name, run);
});
