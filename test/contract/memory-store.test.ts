/** The store in memory keeps the contract. */
import { createMemoryMedium, createMemoryStore } from '@hyperty/runtime';
import { storeContract } from '@hyperty/runtime/testing';

describe('the store in memory', () => {
  const cases = storeContract({
    async create() {
      const medium = createMemoryMedium();
      return async () => createMemoryStore({ medium });
    },
    outlivesClose: true,
  });
  for (const { name, run } of cases) it(name, run);
});
