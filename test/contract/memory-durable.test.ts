/** Durable hyperties keep their contract on a store in memory. */
import { createMemoryMedium, createMemoryStore } from '@hyperty/runtime';
import { durableContract } from '@hyperty/runtime/testing';

describe('a durable hyperty on a store in memory', function () {
  this.timeout(30_000);
  const cases = durableContract({
    async create() {
      const medium = createMemoryMedium();
      return async () => createMemoryStore({ medium });
    },
  });
  for (const { name, run } of cases) it(name, run);
});
