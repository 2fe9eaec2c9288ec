import assert from 'node:assert/strict';
import { createMemoryMedium, createMemoryStore, systemClock, type Store } from '@hyperty/runtime';
import { openFormat, type Migration } from '../../../../services/src/domain/store-format.ts';
import { failsWith } from '../../../support/hosting.ts';

describe('the format of a store', () => {
  let store: Store;
  let ran: string[];

  beforeEach(() => {
    store = createMemoryStore({ clock: systemClock, medium: createMemoryMedium() });
    ran = [];
  });

  const migration =
    (name: string, fails = false): Migration =>
    async (into, lease) => {
      ran.push(name);
      await into.commit([{ key: 'service/name', value: name }], [lease]);
      if (fails) throw new Error('the process died');
    };

  it('of a new one is the newest, without migrating', async () => {
    await openFormat(store, [migration('to 2')]);
    assert.deepEqual(ran, []);
    assert.equal(await store.get('service/format'), '2');
  });

  it('is raised step by step, once', async () => {
    await openFormat(store);
    await openFormat(store, [migration('to 2'), migration('to 3')]);
    await openFormat(store, [migration('to 2'), migration('to 3')]);
    assert.deepEqual(ran, ['to 2', 'to 3']);
    assert.equal(await store.get('service/format'), '3');
  });

  it('goes on with the step at which a process died', async () => {
    await openFormat(store);
    await assert.rejects(openFormat(store, [migration('to 2'), migration('to 3', true)]), /died/);
    await openFormat(store, [migration('to 2'), migration('to 3')]);
    assert.deepEqual(ran, ['to 2', 'to 3', 'to 3']);
  });

  it('that is newer than ours is left as it is', async () => {
    await openFormat(store, [migration('to 2'), migration('to 3')]);
    await assert.rejects(openFormat(store), failsWith('unsupported', /restore a backup/));
    assert.equal(await store.get('service/format'), '3');
  });

  it('is migrated by one process, while others wait', async () => {
    await openFormat(store);
    const slow = Promise.withResolvers<undefined>();
    const first = openFormat(store, [() => slow.promise]);
    const second = openFormat(store, [migration('to 2')]);
    slow.resolve(undefined);
    await Promise.all([first, second]);
    assert.deepEqual(ran, []);
  });
});
