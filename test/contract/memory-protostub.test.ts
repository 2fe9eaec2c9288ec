/** The protostub in memory keeps the contract. */
import { createMemoryHub, runtimeAddress, systemClock } from '@hyperty/runtime';
import { protostubContract } from '@hyperty/runtime/testing';

const DOMAINS = { alice: 'acme.example', bob: 'partner.example' };

describe('the memory protostub', () => {
  const hub = createMemoryHub({ clock: systemClock });
  let devices = 0;
  const cases = protostubContract({
    async create(owner) {
      devices += 1;
      return hub.protostub(runtimeAddress({ domain: DOMAINS[owner], owner, device: `device-${devices}` }));
    },
  });
  for (const { name, run } of cases) it(name, run);
});
