/** Runs cases of the durable contract in a page. */
import { createIndexedDbStore } from '@hyperty/runtime/browser';
import { durableContract } from '@hyperty/runtime/testing';

const cases = durableContract({
  async create() {
    const name = crypto.randomUUID();
    return () => createIndexedDbStore({ name });
  },
});

/** Runs the case of this name. Rejects when the store breaks it, or when there is no such case. */
export async function runCase(name: string): Promise<void> {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`There is no case "${name}".`);
  await found.run();
}
