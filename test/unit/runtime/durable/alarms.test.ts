import assert from 'node:assert/strict';
import { createMemoryStore, delay, FabricError, silentLogger, type Store } from '@hyperty/runtime';
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
  /** How long a read takes. */
  let readMs: number;
  beforeEach(async () => {
    clock = createManualClock();
    const memory = createMemoryStore({ clock });
    [woken, shards, failures] = [[], [shardOf(early)], 0];
    readMs = 0;
    const range: Store['range'] = async (wanted) => {
      failures -= 1;
      if (readMs > 0) await delay(clock, readMs);
      if (failures >= 0) throw new FabricError('storage', 'Not now.');
      return memory.range(wanted);
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

  it('are set again after a time has come while they were looking at a slow store', async () => {
    readMs = 1500;
    const looking = alarms.look();
    alarms.note(clock.now() + 1000);
    await clock.until(looking);
    await clock.advance(1000);
    const latest = 'hyperty://acme.example/alice/early2' as Address;
    shards.push(shardOf(latest));
    await set(latest, 500);
    alarms.note(clock.now() + 500);
    await clock.advance(500 + 4 * readMs);
    assert.ok(woken.includes(latest));
  });
});
