import assert from 'node:assert/strict';
import { openShop, type Shop } from '../../../support/catalogue-goods.ts';
import { failsWith } from '../../../support/hosting.ts';

const GREETER = { kind: 'hyperty', name: 'greeter' } as const;
const ASKER = { ...GREETER, runtime: 'node', capabilities: [] as string[] } as const;

describe('choosing a version', () => {
  let shop: Shop;
  const resolve = async (wanted?: string, capabilities: string[] = []): Promise<string> => {
    const asked = { ...ASKER, capabilities, ...(wanted === undefined ? {} : { wanted }) };
    return (await shop.catalogue.call('resolve', asked)).descriptor.version;
  };

  beforeEach(async () => (shop = await openShop()));
  afterEach(() => shop.domains.stop());

  it('reads ranges, tags and versions as semantic versioning has them', async () => {
    for (const version of ['0.9.0', '1.0.0', '1.2.0', '1.10.0', '2.0.0-beta.2', '2.0.0-beta.10'])
      await shop.publish(version);
    const expected: [string | undefined, string][] = [
      [undefined, '1.10.0'],
      ['latest', '1.10.0'],
      ['*', '1.10.0'],
      ['x', '1.10.0'],
      ['^1', '1.10.0'],
      ['~1.2', '1.2.0'],
      ['1', '1.10.0'],
      ['<1.10.0', '1.2.0'],
      ['>=0.9 <1', '0.9.0'],
      ['1.0.0 || 0.9.0', '1.0.0'],
      ['1.0.0', '1.0.0'],
      ['1.0.0+build', '1.0.0'],
      ['^2.0.0-beta', '2.0.0-beta.10'],
      ['2.0.0-beta.2', '2.0.0-beta.2'],
    ];
    for (const [wanted, version] of expected)
      assert.equal(await resolve(wanted), version, wanted ?? 'default');
    await assert.rejects(
      resolve('^2'),
      failsWith('not-found', /No version .* satisfies "\^2"; it has 2\.0\.0-beta\.10/),
    );
    await assert.rejects(resolve('3.0.0'), failsWith('not-found', /no version 3\.0\.0/));
    await assert.rejects(resolve('beta'), failsWith('not-found', /no tag "beta"; it has latest/));
    await assert.rejects(resolve('constructor'), failsWith('not-found', /no tag/));
    await assert.rejects(resolve('../x'), failsWith('schema'));
  });

  it('does not take a prerelease for the latest, and says so', async () => {
    await shop.publish('1.0.0-beta.1');
    await assert.rejects(resolve(), failsWith('not-found', /no stable version that "latest" could follow/));
    assert.equal(await resolve('1.0.0-beta.1'), '1.0.0-beta.1');
  });

  it('lets the latest follow the highest, never the last published, until it is set', async () => {
    await shop.publish('1.1.0');
    await shop.publish('1.0.1');
    assert.equal(await resolve(), '1.1.0');
    const { tags } = await shop.catalogue.call('tag', { ...GREETER, tag: 'latest', version: '1.0.1' });
    assert.deepEqual(tags, { latest: '1.0.1' });
    await shop.publish('1.2.0', {}, 'next');
    assert.equal(await resolve(), '1.0.1');
    assert.equal(await resolve('next'), '1.2.0');
    await shop.catalogue.call('tag', { ...GREETER, tag: 'latest', version: null });
    assert.equal(await resolve(), '1.2.0');
    await assert.rejects(
      shop.catalogue.call('tag', { ...GREETER, tag: 'x', version: '1.0.1' }),
      failsWith('invalid', /read as a range/),
    );
    await assert.rejects(
      shop.catalogue.call('tag', { ...GREETER, tag: 'old', version: '7.0.0' }),
      failsWith('not-found'),
    );
  });

  it('takes the best version that the runtime can run, and else says what the best one lacks', async () => {
    await shop.publish('1.0.0');
    await shop.publish('1.1.0', { constraints: { capabilities: ['webrtc'] } });
    await shop.publish('1.2.0', {
      constraints: { runtimes: ['browser', 'phone'], capabilities: ['camera', 'webrtc'] },
    });
    assert.equal(await resolve('^1'), '1.0.0');
    assert.equal(await resolve('^1', ['webrtc']), '1.1.0');
    await assert.rejects(
      resolve('^1.1'),
      failsWith(
        'unsupported',
        /1\.2\.0 does not run there: it needs a runtime in browser or phone and camera and webrtc; neither/,
      ),
    );
    await assert.rejects(resolve('1.1.0'), failsWith('unsupported', /it needs webrtc\./));
  });

  it('passes over yanked versions, but gives them by their number, with the reason', async () => {
    await shop.publish('1.0.0');
    await shop.publish('1.1.0', {}, 'next');
    const yank = { ...GREETER, version: '1.1.0', reason: 'loses greetings' };
    assert.deepEqual((await shop.catalogue.call('yank', yank)).tags, { latest: '1.0.0' });
    assert.equal(await resolve('^1'), '1.0.0');
    const exact = await shop.catalogue.call('resolve', { ...ASKER, wanted: '1.1.0' });
    assert.equal(exact.yanked, 'loses greetings');
    assert.ok('package' in exact.descriptor);
    const { sha256 } = exact.descriptor.package;
    assert.equal((await shop.catalogue.call('fetch-package', { sha256 })).sha256, sha256);
    await assert.rejects(resolve('>1.0.0'), failsWith('not-found', /1\.1\.0 was yanked: loses greetings/));
    await assert.rejects(
      shop.catalogue.call('tag', { ...GREETER, tag: 'next', version: '1.1.0' }),
      failsWith('conflict'),
    );
    await shop.catalogue.call('yank', { ...yank, reason: null });
    assert.equal(await resolve('^1'), '1.1.0');
  });

  it('prefers what is not deprecated, and tells the reason where nothing else is', async () => {
    await shop.publish('1.0.0');
    await shop.publish('1.1.0');
    await shop.catalogue.call('deprecate', { ...GREETER, version: '1.1.0', reason: 'use 1.0' });
    assert.equal(await resolve('^1'), '1.0.0');
    const { deprecated } = await shop.catalogue.call('resolve', { ...ASKER, wanted: '^1.1' });
    assert.equal(deprecated, 'use 1.0');
    const { versions, owner } = await shop.catalogue.call('versions', GREETER);
    assert.equal(owner, 'acme.example/alice');
    assert.deepEqual(
      versions.map(({ version, deprecated: why }) => [version, why]),
      [
        ['1.1.0', 'use 1.0'],
        ['1.0.0', undefined],
      ],
    );
  });

  it('says that a name is not there', async () => {
    await assert.rejects(resolve(), failsWith('not-found', /no hyperty "greeter"/));
  });
});
