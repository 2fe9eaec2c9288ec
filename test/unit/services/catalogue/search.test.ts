import assert from 'node:assert/strict';
import { createMemoryMedium, createMemoryStore, systemClock } from '@hyperty/runtime';
import { catalogueContract } from '@hyperty/runtime/catalogue';
import { createCatalogue } from '../../../../services/src/catalogue/catalogue.ts';
import { eventually } from '../../../support/eventually.ts';
import { openShop, type Shop } from '../../../support/catalogue-goods.ts';

describe('searching a catalogue', () => {
  let shop: Shop;
  const names = async (query: { text?: string; keyword?: string; limit?: number; offset?: number }) =>
    (await shop.catalogue.call('search', query)).found.map(({ name }) => name);

  beforeEach(async () => {
    shop = await openShop();
    await shop.publish('1.0.0', { name: 'greeter', description: 'Says hello.', keywords: ['hello'] });
    await shop.publish('1.0.0', { name: 'doorbell', description: 'Rings when a greeter is wanted.' });
    await shop.publish('1.0.0', {
      name: 'chat-room',
      description: 'Many people talk.',
      keywords: ['chat', 'hello'],
    });
  });
  afterEach(() => shop.domains.stop());

  it('finds by name first, then keyword, then description; every word must be there', async () => {
    assert.deepEqual(await names({ text: 'greeter' }), ['greeter', 'doorbell']);
    assert.deepEqual(await names({ text: 'GREET hello' }), ['greeter']);
    assert.deepEqual(await names({ keyword: 'hello' }), ['chat-room', 'greeter']);
    assert.deepEqual(await names({ text: '%' }), []);
    assert.deepEqual(await names({ text: '.*' }), []);
  });

  it('gives pages and how many there are', async () => {
    assert.deepEqual(await names({}), ['chat-room', 'doorbell', 'greeter']);
    const page = await shop.catalogue.call('search', { limit: 1, offset: 1 });
    assert.deepEqual([page.found.map(({ name }) => name), page.total], [['doorbell'], 3]);
  });

  it('shows what "latest" leads to, what is deprecated last, and nothing of which all versions are yanked', async () => {
    const greeter = { kind: 'hyperty', name: 'greeter', version: '1.0.0' } as const;
    await shop.catalogue.call('deprecate', { ...greeter, reason: 'use doorbell' });
    const { found } = await shop.catalogue.call('search', { text: 'greeter' });
    assert.deepEqual(
      found.map(({ name, deprecated }) => [name, deprecated]),
      [
        ['doorbell', undefined],
        ['greeter', 'use doorbell'],
      ],
    );
    await shop.catalogue.call('yank', { ...greeter, reason: 'broken' });
    assert.deepEqual(await names({ text: 'greeter' }), ['doorbell']);
  });

  it('knows what another process of the same store has published', async () => {
    const medium = createMemoryMedium();
    const [one, two] = [0, 1].map(() => createMemoryStore({ clock: systemClock, medium }));
    assert.ok(one && two);
    const other = await openShop(one);
    try {
      await shop.domains.stop();
      shop = await openShop(two);
      await other.publish('1.0.0', { name: 'late' });
      const carol = await shop.domains.person('carol');
      const catalogue = carol.services.at(catalogueContract);
      await eventually(
        async () => (await catalogue.call('search', { text: 'late' })).total === 1,
        'it is found',
      );
      const { descriptor } = await catalogue.call('get', { kind: 'hyperty', name: 'late' });
      assert.equal(descriptor.version, '1.0.0');
    } finally {
      await other.domains.stop();
    }
  });

  it('is complete after a restart', async () => {
    const service = createCatalogue({ store: shop.store, clock: systemClock });
    await service.start?.();
    const { search } = service.operations;
    assert.ok(search);
    const input = { limit: 20, offset: 0 } as never;
    const context = { caller: undefined, signal: new AbortController().signal };
    const { total } = (await search.handle(input, context)) as { total: number };
    assert.equal(total, 3);
    await service.stop?.();
  });
});
