import assert from 'node:assert/strict';
import { FabricError } from '@hyperty/runtime';
import { callerFor } from '../../../../services/src/domain/caller.ts';
import { createDispatcher } from '../../../../services/src/domain/dispatcher.ts';
import { createCallLimits, networkOf, type CallBudgets } from '../../../../services/src/domain/limits.ts';
import { bothRoads } from '../../../support/both-roads.ts';
import { counter } from '../../../support/counter-service.ts';
import { failsWith } from '../../../support/hosting.ts';

describe('call limits', () => {
  const start = (budgets: CallBudgets) => {
    const { guard, admitStranger } = createCallLimits(budgets);
    const dispatcher = createDispatcher(counter().service, { guards: [guard] });
    const call = (userId: string | undefined, remoteAddress = '192.0.2.1'): Promise<unknown> =>
      dispatcher.call({
        operation: 'watch',
        input: {},
        caller: userId === undefined ? undefined : callerFor(userId, 'acme.example'),
        signal: new AbortController().signal,
        remoteAddress,
      });
    return { call, admitStranger };
  };
  const limited = failsWith('rate-limited');

  it('give each account its own budget, and say when to come again', async () => {
    const { call } = start({ company: 2 });
    await call('@alice:acme.example');
    await call('@alice:acme.example');
    const error = await call('@alice:acme.example').catch((caught: unknown) => caught);
    assert.ok(error instanceof FabricError && limited(error));
    const { retryAfterMs } = error.details;
    assert.ok(typeof retryAfterMs === 'number' && retryAfterMs > 0 && retryAfterMs <= 10_000);
    await call('@carol:acme.example');
  });

  it('give each partner domain a budget for all its accounts', async () => {
    const { call } = start({ partner: 2, partnerDomain: 3, allPartners: 5 });
    await call('@bob:partner.example');
    await call('@bob:partner.example');
    await assert.rejects(call('@bob:partner.example'), limited);
    await call('@dave:partner.example'); // what was refused took nothing from others
    await assert.rejects(call('@dave:partner.example'), limited, 'three for the domain');
    await call('@erin:other.example');
    await call('@erin:other.example');
    await assert.rejects(call('@frank:third.example'), limited, 'five for all partners');
    await call('@alice:acme.example');
  });

  it('count strangers by their network, and all of them together', async () => {
    const { call, admitStranger } = start({ stranger: 2, allStrangers: 6 });
    await call(undefined, '2001:db8:0:1::1');
    await admitStranger('2001:db8:0:1:ffff::2');
    await assert.rejects(call(undefined, '2001:db8:0:1::3'), limited);
    await call(undefined, '2001:db8:0:2::1');
    await call(undefined, '::ffff:192.0.2.9');
    await call(undefined, '192.0.2.9');
    await call(undefined, '192.0.2.10'); // what was refused took nothing from others
    await assert.rejects(call(undefined, '192.0.2.11'), limited, 'six for all strangers');
  });

  it('count both roads together', async () => {
    const both = await bothRoads(counter().service, { guards: [createCallLimits({ company: 2 }).guard] });
    const [fabric, rest] = both.roads;
    await fabric.call('add', { by: 1 }, 'alice@acme.example');
    await rest.call('add', { by: 1 }, 'alice@acme.example');
    for (const road of both.roads)
      await assert.rejects(road.call('add', { by: 1 }, 'alice@acme.example'), limited, road.name);
    await both.stop();
  });

  it('write an IPv6 network in one way', () => {
    for (const address of [
      '2001:db8::1',
      '2001:DB8:0:0:1::',
      '2001:0db8:0000:0000:0:0:0:1',
      '2001:db8::1%eth0',
    ])
      assert.equal(networkOf(address), '2001:db8:0:0::/64');
    assert.equal(networkOf('::1'), '0:0:0:0::/64');
    assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
  });
});
