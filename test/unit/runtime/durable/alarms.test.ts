import assert from 'node:assert/strict';
import { createMemoryStore, FabricError, silentLogger, type Store } from '@hyperty/runtime';
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { Alarms } from '../../../../runtime/src/durable/alarms.ts';
import { keys, shardOf } from '../../../../runtime/src/durable/keys.ts';
import type { Address } from '../../../../runtime/src/message/address.ts';

const early = 'hyperty://acme.example/alice/early' as Address;
const late = 'hyperty://acme.example/alice/late' as Address;

describe('alarms', () => {
  let clock: ManualClock;
  let store: Store;
  let alarms: Alarms;
  let woken: string[];
  let shards: string[];
  let failures: number;
  beforeEach(async () => {
    clock = createManualClock();
    const memory = createMemoryStore({ clock });
    [woken, shards, failures] = [[], [shardOf(early)], 0];
    const range: Store['range'] = (wanted) => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new FabricError('storage', 'Not now.')) : memory.range(wanted);
    };
    store = { ...memory, commit: memory.commit.bind(memory), range };
    const wake = (address: Address): void => void woken.push(address);
    alarms = new Alarms({ store, clock, logger: silentLogger, wake, shards: () => [...shards] });
    await set(early, 1000);
    await set(late, 2000);
  });
  afterEach(() => {
    alarms.stop();
  });

  const set = (address: Address, inMs: number): Promise<void> =>
    store.commit([{ key: keys.alarm(address, clock.now() + inMs), value: '1' }]);

  it('wake whoever is due, whether it is in memory or not', async () => {
    await alarms.look();
    await clock.advance(999);
    assert.deepEqual(woken, []);
    await clock.advance(1);
    assert.deepEqual(woken, [early]);
  });

  it('look at a shard that was gained while they were looking', async () => {
    const looking = alarms.look();
    shards.push(shardOf(late));
    await Promise.all([looking, alarms.look()]);
    await clock.advance(2000);
    assert.ok(woken.includes(late));
  });

  it('are looked at again when the store could not be read', async () => {
    failures = 1;
    await alarms.look();
    await clock.advance(6000);
    assert.ok(woken.includes(early));
  });

  it('wake those again that are due and have not gone away', async () => {
    await alarms.look();
    await clock.advance(12_000);
    assert.ok(woken.filter((address) => address === early).length > 1);
  });
});
