/** The Matrix protostub keeps the contract, between two homeservers that federate. */
import { createMatrixProtostub } from '@hyperty/bridge';
import { protostubContract } from '@hyperty/runtime/testing';
import { requireSynapse } from '../support/synapse.ts';
import { sharedWorld } from '../support/world.ts';

describe('the Matrix protostub', function () {
  this.timeout(60_000);

  before(async function () {
    this.timeout(180_000);
    await requireSynapse(this);
    await sharedWorld();
  });

  const cases = protostubContract({
    async create(owner) {
      const { acme, partner } = await sharedWorld();
      const session = await (owner === 'alice' ? acme : partner).register(owner);
      return createMatrixProtostub({ session });
    },
    timeoutMs: 30_000,
  });
  for (const { name, run } of cases) it(name, run);
});
