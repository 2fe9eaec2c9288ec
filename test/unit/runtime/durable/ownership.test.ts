import assert from 'node:assert/strict';
import { createMemoryMedium, createMemoryStore, FabricError, silentLogger, type MemoryMedium } from '@hyperty/runtime'; // prettier-ignore
import { createManualClock, type ManualClock } from '@hyperty/runtime/testing';
import { shardNames } from '../../../../runtime/src/durable/keys.ts';
import { Ownership } from '../../../../runtime/src/durable/ownership.ts';
import { Sequencer } from '../../../../runtime/src/durable/sequencer.ts';

const TTL_MS = 6000;

describe('the ownership of shards', () => {
  let clock: ManualClock;
  let medium: MemoryMedium;
  beforeEach(() => {
    clock = createManualClock();
    medium = createMemoryMedium();
  });

  const open = (life: string, refusal?: FabricError): Ownership => {
    const memory = createMemoryStore({ medium, clock });
    const store = {
      ...memory,
      commit: memory.commit.bind(memory),
      range: memory.range.bind(memory),
      acquire: memory.acquire.bind(memory),
      release: refusal ? () => Promise.reject(refusal) : memory.release.bind(memory),
    };
    const sequencer = new Sequencer(() => clock.now());
    const told = { gained: () => undefined, lost: () => undefined };
    return new Ownership({ store, clock, logger: silentLogger, life, ttlMs: TTL_MS, sequencer, ...told });
  };

  it('is all of one process, and shared among two', async () => {
    const first = open('first');
    await first.start();
    assert.equal(first.shards.length, shardNames.length);
    const second = open('second');
    await second.start();
    await clock.advance(TTL_MS);
    assert.ok(first.isShared && second.isShared);
    assert.ok(first.shards.length > 16 && second.shards.length > 16);
    assert.equal(first.shards.length + second.shards.length, shardNames.length);
  });

  it('lets a process that joins keep mail for others only once they know of it', async () => {
    const first = open('first');
    await first.start();
    assert.equal(first.introduced, undefined);
    await clock.advance(TTL_MS / 6); // so that their beats differ in time
    const second = open('second');
    await second.start();
    const { introduced } = second;
    assert.ok(introduced);
    assert.equal(first.isShared, false);
    await clock.until(introduced);
    assert.equal(first.isShared, true);
    assert.equal(second.introduced, undefined);
  });

  it('does not let a process wait for longer for one that has died', async () => {
    const first = open('first');
    await first.start();
    await first.stop();
    await createMemoryStore({ medium, clock }).commit([{ key: 'n/dead', value: '7 0' }]);
    const second = open('second');
    await second.start();
    assert.ok(second.introduced);
    await clock.advance(TTL_MS * 2);
    assert.equal(second.introduced, undefined);
    assert.equal(second.shards.length, shardNames.length);
  });

  it('ends although the store takes nothing back', async () => {
    const first = open('first', new FabricError('storage', 'The disk is full.'));
    await first.start();
    await first.stop();
    assert.deepEqual(first.shards, []);
  });
});
